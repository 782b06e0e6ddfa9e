"""Small files of each kind, made on the spot."""

import base64
import math
import struct
import wave
from io import BytesIO

from PIL import Image
from playwright.sync_api import Page

__all__ = ["png", "video", "wav"]


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


RECORD_VIDEO = """async () => {
  const canvas = document.createElement("canvas");
  const brush = canvas.getContext("2d");
  const recorder = new MediaRecorder(canvas.captureStream(), { mimeType: "video/webm" });
  const chunks = [];
  recorder.ondataavailable = ({ data }) => chunks.push(data);
  const stopped = new Promise((resolve) => (recorder.onstop = resolve));
  recorder.start(1);
  const hasFrame = () => chunks.some((chunk) => chunk.size);
  for (let frame = 0; frame < 10 || !hasFrame(); frame++) {
    brush.fillStyle = `hsl(${200 + frame} 40% 45%)`;
    brush.fillRect(0, 0, canvas.width, canvas.height);
    await new Promise(requestAnimationFrame);
  }
  recorder.stop();
  await stopped;
  const bytes = new Uint8Array(await new Blob(chunks).arrayBuffer());
  return btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""));
}"""


def video(page: Page) -> bytes:
    """Ten frames or more in WebM, as a browser records them: this one."""
    return base64.b64decode(page.evaluate(RECORD_VIDEO))
