"""The composer: takes text and files, sends them, and is a stop button while an answer runs."""

from pathlib import Path
from typing import cast

import gradio as gr
import msgspec
from msgspec import Struct

from chatcore.errors import ChatcoreError
from chatcore.messages import Settings
from frontends.gradio_web.binding import Listen, bind, shown_errors, user_of
from frontends.gradio_web.received import received_files
from frontends.site import Site

__all__ = ["add_composer"]


class Written(Struct, frozen=True):
    """What Gradio gives of the composer: the paths of uploads that it has checked."""

    text: str
    files: list[str] = []


class Target(Struct, frozen=True):
    """Where the page's script wants a message to go (anybody's word: the engine checks it).

    Attributes:
        conversation: None: a new one.
        key: Of this message; the same one sent again is stored once.
        names: Of the files, as their sender has them.
        settings: Of a new conversation.
    """

    conversation: str | None
    key: str
    names: list[str] = []
    settings: Settings = Settings()


def add_composer(site: Site, uploads: Path, text_chars: int) -> gr.MultimodalTextbox:
    """The composer with its listeners, where the page stands that is being built.

    Args:
        site: What is sent to.
        uploads: Where Gradio puts what is uploaded.
        text_chars: How long a message may be.
    """

    async def send(
        written: dict[str, object], target: dict[str, object], request: gr.Request
    ) -> dict[str, str | None]:
        with shown_errors():
            message, wanted = msgspec.convert(written, Written), msgspec.convert(target, Target)
            if not message.text.strip() and not message.files:
                return {"conversation": wanted.conversation}  # Enter in an empty composer means nothing
            return await _send(site, uploads, message, wanted, user_of(site, request))

    box = gr.MultimodalTextbox(
        elem_id="cc-box",
        show_label=False,
        placeholder="Ask anything",
        container=False,
        interactive=True,
        file_count="multiple",
        max_plain_text_length=text_chars,  # what is longer would become a file
        autofocus=True,
        max_lines=8,
    )
    target = gr.JSON(visible="hidden")
    sent = bind(
        cast("Listen", box.submit),
        "(written, _) => [written, window.chatcore?.composer.target(written)]",
        fn=send,
        inputs=[box, target],
        outputs=[target],
    )
    bind(sent.success, "(target) => window.chatcore.composer.sent(target)", inputs=[target], outputs=[box])
    bind(sent.failure, "() => window.chatcore?.composer.refused()")
    bind(cast("Listen", box.change), "(value) => window.chatcore?.composer.changed(value)", inputs=[box])
    bind(cast("Listen", box.stop), "() => window.chatcore.composer.stop()")
    return box


async def _send(
    site: Site, uploads: Path, written: Written, target: Target, user: str
) -> dict[str, str | None]:
    """The conversation in which the message is stored now, and the message."""
    engine = site.engine
    files = received_files(written.files, target.names, uploads)
    if target.conversation is not None:
        sent = await engine.send(
            target.conversation, written.text, files, policy="queue", key=target.key, user=user
        )
        return {"conversation": target.conversation, "message": sent.question.id}
    made = await engine.create(settings=target.settings, key=f"{target.key}.conversation", user=user)
    try:
        sent = await engine.send(made.id, written.text, files, key=target.key, user=user)
    except ChatcoreError:
        await engine.delete(made.id, user=user)  # nobody wants an empty one
        raise
    return {"conversation": made.id, "message": sent.question.id}
