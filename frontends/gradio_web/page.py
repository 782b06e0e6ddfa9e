"""The page: which components there are, and who tells them what to draw.

What is drawn is decided in the browser (`static/page.js`), from the event stream, without asking Gradio's
server: a token costs the same whatever the conversation's length. Gradio's server is asked for uploads and to
take in a message (`composer`), and by `gradio_client` (`endpoints`).
"""

from pathlib import Path

import gradio as gr
import msgspec
from msgspec import Struct

from frontends.gradio_web.assets import Assets
from frontends.gradio_web.binding import bind
from frontends.gradio_web.composer import add_composer
from frontends.gradio_web.endpoints import add_endpoints
from frontends.site import Site

__all__ = ["build_page"]

LATEX: list[dict[str, str | bool]] = [
    {"left": "$$", "right": "$$", "display": True},
    {"left": "\\[", "right": "\\]", "display": True},
    {"left": "\\(", "right": "\\)", "display": False},
]

# Gradio makes a function of this; the names in quotes are the events that a listener can be bound to.
LOADER = """
const events = ["draw_all", "draw_live", "draw_buttons"];
import(props.settings.script).then((page) => page.start(trigger, props.settings));
"""


class Settings(Struct, frozen=True):
    """What the script of the page is told.

    Attributes:
        script: Address of the module.
        api: Address of the JSON routes, relative to the page, with a slash at its end.
        title: Name of the site.
        model: What answers, in words for people; None where nothing answers.
        can_continue: Names of the responders that go on from a given beginning.
    """

    script: str
    api: str
    title: str
    model: str | None
    can_continue: list[str]


def build_page(site: Site, assets: Assets, uploads: Path) -> gr.Blocks:
    """The page and the named endpoints as one `gr.Blocks`; `uploads`: where Gradio puts what is uploaded."""
    responders = site.engine.responders
    settings = Settings(
        script=f"{assets.address}/page.js",
        api="api/",
        title=site.title,
        model=site.model,
        can_continue=[name for name, responder in responders.items() if responder.can_continue],
    )
    demo = gr.Blocks(title=site.title, fill_height=True, fill_width=True, analytics_enabled=False)
    with demo:
        with gr.Row(elem_id="cc-shell"):
            with gr.Column(elem_id="cc-side", scale=0, min_width=0):
                _place("sidebar")
            _place("backdrop")
            with gr.Column(elem_id="cc-main", min_width=0):
                _place("header")
                with gr.Column(elem_id="cc-scroll"), gr.Column(elem_id="cc-inner"):
                    _place("top")
                    history = _messages("hist")
                    live = _messages("live")
                    _place("tail")
                with gr.Column(elem_id="cc-foot"):
                    _place("notice")
                    box = add_composer(site, uploads)
        script = gr.HTML("", js_on_load=LOADER, elem_id="cc-script", settings=msgspec.to_builtins(settings))
        bind(script.draw_all, "() => window.chatcore.all()", outputs=[history, live])
        bind(script.draw_live, "() => [window.chatcore.live()]", outputs=[live])
        bind(script.draw_buttons, "() => [window.chatcore.composer.buttons()]", outputs=[box])
        add_endpoints(site, uploads)
    return demo


def _place(name: str) -> gr.HTML:
    """An element for the script to fill; Gradio draws it once, empty."""
    return gr.HTML(
        html_template='<div class="cc-place"></div>',
        js_on_load=None,
        apply_default_css=False,
        elem_id=f"cc-{name}",
    )


def _messages(name: str) -> gr.Chatbot:
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
    )
