"""The chat in a page of one's own, beside other components, which hear of what happens in it."""

import gradio as gr

from frontends import gradio_web


async def bot(asked):
    yield f"You said {len(asked.text.split())} words."


def note(log, event: gr.EventData):
    return f"{log}{event.text}\n"


with gr.Blocks(title="My page") as demo, gr.Row():
    with gr.Column(scale=3):
        chat = gradio_web.Chat("sqlite:chats", responder=bot, height=560)
    with gr.Column():
        log = gr.Textbox(label="Answers so far", lines=12)
        gr.ClearButton(log)
    chat.answered(note, log, log)

if __name__ == "__main__":
    chat.launch(demo, theme=gr.themes.Soft())
