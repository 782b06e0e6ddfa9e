"""A model that looks at images, at any server that speaks OpenAI's protocol: OPENAI_BASE_URL, MODEL."""

import os

import gradio as gr

from chatcore.responders import ResponderOptions
from chatcore.responders.openai_compatible import open_responder
from frontends import gradio_web

model = ResponderOptions(
    base_url=os.environ.get("OPENAI_BASE_URL"),  # OpenAI itself, if there is none
    api_key=os.environ.get("OPENAI_API_KEY"),
    model=os.environ.get("MODEL", "gpt-4o-mini"),
    vision=True,
)

with gr.Blocks(title="What is in this picture?") as demo:
    questions = ["What is in this picture?", "Which colours do you see?"]
    chat = gradio_web.Chat("sqlite:chats", responder=open_responder(model), examples=questions)

if __name__ == "__main__":
    chat.launch(demo)
