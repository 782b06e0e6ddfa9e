"""Small files of each kind, made on the spot."""

import math
import struct
import wave
from io import BytesIO

from PIL import Image

__all__ = ["png", "wav"]


def png() -> bytes:
    """A picture of 40 by 30 pixels."""
    made = BytesIO()
    Image.new("RGB", (40, 30), (200, 30, 30)).save(made, "PNG")
    return made.getvalue()


def wav() -> bytes:
    """A second of a tone."""
    made = BytesIO()
    with wave.open(made, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(8000)
        sound.writeframes(b"".join(struct.pack("<h", int(9000 * math.sin(n / 5))) for n in range(8000)))
    return made.getvalue()
