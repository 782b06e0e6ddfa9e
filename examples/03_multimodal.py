"""Text, Markdown, LaTeX, code, images, audio, video and other files; and votes on what comes back."""

import gradio as gr

from frontends import gradio_web


async def bot(asked):
    for file in asked.files:
        yield f"- **{file.name}**: `{file.media_type}`, {file.size_bytes:,} bytes\n"
    yield f"\nYou said:\n\n{asked.text}"


def thank(event: gr.EventData):
    return f"{event.rating or 'no vote'}: {event.text}"


with gr.Blocks(title="All kinds of things") as demo:
    questions = ["# A heading and *emphasis*", "$$e^{i\\pi} + 1 = 0$$", "```python\nprint(1 + 1)\n```"]
    chat = gradio_web.Chat("sqlite:chats", responder=bot, examples=questions)
    vote = gr.Textbox(label="Your last vote")
    chat.rated(thank, None, vote)

if __name__ == "__main__":
    chat.launch(demo)
