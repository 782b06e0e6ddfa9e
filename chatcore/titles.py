"""Titles for conversations that were given none."""

__all__ = ["title_from"]

MAX_CHARS = 60


def title_from(text: str) -> str:
    """The first words of `text` on one line, cut at a word; empty where there are none."""
    line = " ".join(text[: MAX_CHARS * 20].split())
    if len(line) <= MAX_CHARS:
        return line
    cut = line[: MAX_CHARS - 1]
    whole_words = cut.rsplit(" ", 1)[0] if " " in cut else cut
    return whole_words.rstrip(" ,.;:-") + "…"
