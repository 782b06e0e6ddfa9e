"""The chat's components: which there are, and who tells them what to draw.

What is drawn is decided in the browser (`static/page.js`), from the event stream, without asking Gradio's
server: a token costs the same whatever the conversation's length. Gradio's server is asked for uploads and to
take in a message (`composer`).
"""

from collections.abc import Callable, Sequence
from pathlib import Path

import gradio as gr
import msgspec
from msgspec import Struct

from chatcore.engine import Engine
from chatcore.errors import InvalidInput
from chatcore.limits import Limits
from frontends.gradio_web.assets import Assets
from frontends.gradio_web.binding import bind
from frontends.gradio_web.composer import add_composer
from frontends.gradio_web.environment import UPLOADS
from frontends.site import Site

__all__ = ["EVENTS", "Avatars", "Face", "Pieces", "face_of"]

EVENTS = ("answered", "sent", "rated", "opened")
"""What happens in the chat to which listeners can be bound, as to events of Gradio's own components."""

Avatars = tuple[str | Path | None, str | Path | None]
"""Pictures beside the messages of the person and of what answers."""

LATEX: list[dict[str, str | bool]] = [
    {"left": "$$", "right": "$$", "display": True},
    {"left": "\\[", "right": "\\]", "display": True},
    {"left": "\\(", "right": "\\)", "display": False},
]

# Gradio makes a function of this; the names in quotes are the events that a listener can be bound to.
LOADER = f"""
const events = ["draw_all", "draw_live", "draw_box", {", ".join(f'"{event}"' for event in EVENTS)}];
const script = new URL(props.settings.script, document.baseURI).href;
import(script).then((page) => page.start(trigger, props.settings));
"""


class Face(Struct, frozen=True, kw_only=True):
    """What the chat shows before anything is asked.

    Attributes:
        title: Name of the site.
        model: What answers, in words for people; None where nothing answers.
        can_continue: Names of the responders that go on from a given beginning.
        limits: What is too much, so that the page can say it before anything is sent.
        examples: Questions that are offered where nothing is said yet.
    """

    title: str
    model: str | None
    can_continue: list[str]
    limits: Limits
    examples: list[str] = []


def face_of(engine: Engine, title: str, model: str | None, examples: Sequence[str] = ()) -> Face:
    """The face of a chat whose engine is open."""
    return Face(
        title=title,
        model=model,
        can_continue=[name for name, responder in engine.responders.items() if responder.can_continue],
        limits=engine.limits,
        examples=list(examples),
    )


class Pieces:
    """The chat's components in the `gr.Blocks` that is being built; each is placed where it is called for.

    Args:
        site: What they belong to.
        face: What is shown before anything is asked.
        assets: The scripts.
        avatars: Pictures of those who speak.
        is_page: Whether the chat is all of the page.

    Attributes:
        script: The component that loads the scripts, and of which `EVENTS` are events.
    """

    def __init__(
        self,
        site: Site,
        face: Face,
        assets: Assets,
        *,
        avatars: Avatars = (None, None),
        is_page: bool = False,
    ) -> None:
        self._site = site
        self._face = face
        self._avatars = avatars
        self._is_page = is_page
        self._placed: list[str] = []
        # Gradio keeps this very object: what is changed in it later is told to each page that is loaded then.
        self._settings: dict[str, object] = {
            "script": f"{assets.address}/page.js",
            "api": "api/",
            "is_page": is_page,
            "pieces": self._placed,
        }
        self.show(face)
        self.script = gr.HTML("", js_on_load=LOADER, elem_id="cc-script", settings=self._settings)

    def show(self, face: Face) -> None:
        """Have pages that are loaded from now on show this."""
        shown: dict[str, object] = msgspec.to_builtins(face)
        self._settings.update(shown)

    def place_all(self, height: int | str | None = None) -> None:
        """All of them, the list beside the messages; `height` in pixels or as CSS has it."""
        with gr.Row(elem_id="cc-shell", height=height, scale=1):
            with gr.Column(elem_id="cc-side", scale=0, min_width=0):
                self._place("sidebar")
            _element("backdrop")
            with gr.Column(elem_id="cc-main", min_width=0):
                self._place("header")
                self._place_history()
                with gr.Column(elem_id="cc-foot"):
                    self._place_composer()

    def place_sidebar(self, height: int | str | None = None) -> None:
        """The list of conversations, with its search."""
        self._alone("sidebar", height, lambda: self._place("sidebar"))

    def place_history(self, height: int | str | None = None) -> None:
        """The messages."""
        self._alone("history", height, self._place_history)

    def place_composer(self) -> None:
        """Where a message is written."""
        self._alone("composer", None, self._place_composer)

    def _alone(self, name: str, height: int | str | None, place: Callable[[], None]) -> None:
        with (
            gr.Row(elem_id=f"cc-alone-{name}", elem_classes=["cc-alone"], height=height),
            gr.Column(min_width=0, elem_classes=["cc-alone-inner"]),
        ):
            place()

    def _place(self, name: str) -> None:
        if name in self._placed:
            raise InvalidInput(f"The chat's {name} is placed already; a page has one of each piece.")
        self._placed.append(name)
        if name not in {"history", "composer"}:
            _element(name)

    def _place_history(self) -> None:
        self._place("history")
        with gr.Column(elem_id="cc-scroll"), gr.Column(elem_id="cc-inner"):
            _element("top")
            history = _messages("hist", self._avatars)
            live = _messages("live", self._avatars)
            _element("tail")
        bind(self.script.draw_all, "() => window.chatcore.all()", outputs=[history, live])
        bind(self.script.draw_live, "() => [window.chatcore.live()]", outputs=[live])

    def _place_composer(self) -> None:
        self._place("composer")
        _element("notice")
        box = add_composer(self._site, UPLOADS, self._face.limits.text_chars)
        bind(self.script.draw_box, "() => [window.chatcore.composer.value()]", outputs=[box])


def _element(name: str) -> None:
    """An element for the script to fill; Gradio draws it once, empty."""
    gr.HTML(
        html_template='<div class="cc-place"></div>',
        js_on_load=None,
        apply_default_css=False,
        elem_id=f"cc-{name}",
    )


def _messages(name: str, avatars: Avatars) -> gr.Chatbot:
    """A list of messages whose value the script sets; one row for each part of a message."""
    return gr.Chatbot(
        elem_id=f"cc-{name}",
        show_label=False,
        container=False,
        height=None,
        autoscroll=False,
        buttons=[],
        group_consecutive_messages=False,
        sanitize_html=True,
        latex_delimiters=LATEX,
        layout="bubble",
        avatar_images=avatars if any(avatars) else None,
    )
