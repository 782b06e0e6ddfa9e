"""The same, character by character."""

import random

import anyio
import gradio as gr

from frontends import gradio_web

ANSWERS = ["How are you?", "Today is a great day", "I'm very hungry"]


async def bot(asked):
    for character in random.choice(ANSWERS):
        yield character
        await anyio.sleep(0.05)


with gr.Blocks(title="A streaming bot") as demo:
    chat = gradio_web.Chat("sqlite:chats", responder=bot)

if __name__ == "__main__":
    chat.launch(demo)
