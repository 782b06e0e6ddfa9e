"""The page of which the chat is all: what `chatcore serve` shows."""

import gradio as gr

from frontends.gradio_web.assets import Assets
from frontends.gradio_web.endpoints import add_endpoints
from frontends.gradio_web.environment import UPLOADS
from frontends.gradio_web.pieces import Pieces, face_of
from frontends.site import Site

__all__ = ["build_page"]

EXAMPLES = (
    "Why is the sky blue?",
    "Plan a weekend in a city by the sea",
    "Write a Python function that reads a CSV file",
    "Thank a neighbour who has watered the plants",
)
"""Offered where nothing is said yet: something to begin with, for any model."""


def build_page(site: Site, assets: Assets) -> gr.Blocks:
    """The page and the named endpoints as one `gr.Blocks`; the site's engine is open."""
    face = face_of(site.engine, site.title, site.model, EXAMPLES)
    demo = gr.Blocks(title=site.title, fill_height=True, fill_width=True, analytics_enabled=False)
    with demo:
        pieces = Pieces(site, face, assets, is_page=True)
        pieces.place_all()
        add_endpoints(site, UPLOADS)
    return demo
