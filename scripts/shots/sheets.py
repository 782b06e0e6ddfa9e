"""Many pictures on one, to see at a glance which of them needs a closer look."""

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

from PIL import Image, ImageDraw

__all__ = ["make_sheets"]

LAYOUTS = {"1280": (3, 3, 640), "390": (6, 2, 320)}
"""Pictures across, down, and the width of each in pixels, by the width of the page."""
LABEL_HEIGHT = 20


def make_sheets(pictures: Sequence[Path], folder: Path) -> None:
    """One sheet or more for the pictures of each view: their names end in ``-SCHEME-WIDTH.png``."""
    views: dict[str, list[Path]] = defaultdict(list)
    for picture in pictures:
        views["-".join(picture.stem.split("-")[-2:])].append(picture)
    for view, shown in views.items():
        across, down, width = LAYOUTS[view.split("-")[-1]]
        for number, first in enumerate(range(0, len(shown), across * down), start=1):
            sheet = sheet_of(shown[first : first + across * down], across, width)
            sheet.save(folder / f"sheet-{view}-{number}.png")


def sheet_of(pictures: Sequence[Path], across: int, width: int) -> Image.Image:
    images = [scaled(picture, width) for picture in pictures]
    height = max(image.height for image in images) + LABEL_HEIGHT
    rows = -(-len(images) // across)
    sheet = Image.new("RGB", (across * width, rows * height), "#888888")
    for place, (picture, image) in enumerate(zip(pictures, images, strict=True)):
        left, top = place % across * width, place // across * height
        sheet.paste(image, (left, top + LABEL_HEIGHT))
        ImageDraw.Draw(sheet).text((left + 6, top + 4), picture.stem, fill="white")
    return sheet


def scaled(picture: Path, width: int) -> Image.Image:
    with Image.open(picture) as image:
        return image.convert("RGB").resize((width - 8, image.height * (width - 8) // image.width))
