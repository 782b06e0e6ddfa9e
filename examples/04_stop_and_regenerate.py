"""An answer that takes its time: stop it, ask for another one, go back and forth between the two."""

import itertools
import random

import anyio
import gradio as gr

from frontends import gradio_web


async def bot(asked):
    for number in itertools.count(random.randrange(1000)):
        yield f"{number} "
        await anyio.sleep(0.1)


with gr.Blocks(title="Stop and regenerate") as demo:
    chat = gradio_web.Chat("sqlite:chats", responder=bot, examples=["Count!"])

if __name__ == "__main__":
    chat.launch(demo)
