"""What an attacker would have a chat say: `hostile.txt` has one attempt after the other."""

from pathlib import Path

__all__ = ["BIDI", "OUTSIDE", "VECTORS", "ZALGO"]

OUTSIDE = "http://198.51.100.7"
"""Of nobody (RFC 5737)."""

BIDI = "invoice\u202efdp.exe"
ZALGO = "Z" + "\u0301\u0315\u035c\u0489" * 60 + "algo"


def _read() -> tuple[str, ...]:
    pieces = Path(__file__).with_name("hostile.txt").read_text(encoding="utf-8").strip().split("\n----\n")
    return tuple(piece for piece in pieces if not piece.startswith("####"))


VECTORS: tuple[str, ...] = _read()
