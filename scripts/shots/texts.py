"""The words of the pictures."""

from pathlib import Path

__all__ = ["FORMULA", "LETTERS", "PIECES", "QUESTION", "UNRULY", "WAVE"]


def read(name: str) -> str:
    return Path(__file__).with_name(f"{name}.md").read_text("utf-8")


QUESTION = "How strong is gravity on the inner planets, and how do I work it out?"
FORMULA = read("gravity")
"""A formula, a table and code."""
PIECES = read("pieces")
"""A diagram, lists and a quotation."""
UNRULY = read("unruly")
"""What is wider than the page."""
LETTERS = read("letters")
"""Other scripts than the Latin one, one of them from right to left."""
WAVE = "A wave in a string moves because each piece of it pulls at the next. "
