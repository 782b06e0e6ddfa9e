"""A bot that says one of three things."""

import random

import gradio as gr

from frontends import gradio_web

ANSWERS = ["How are you?", "Today is a great day", "I'm very hungry"]


async def bot(asked):
    yield random.choice(ANSWERS)


with gr.Blocks(title="A simple bot") as demo:
    chat = gradio_web.Chat("sqlite:chats", responder=bot)

if __name__ == "__main__":
    chat.launch(demo)
