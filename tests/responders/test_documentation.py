"""docs/responders.md lists every option and every way to fail."""

import re
from pathlib import Path

from chatcore.responders import ResponderOptions

PAGE = (Path(__file__).parents[2] / "docs" / "responders.md").read_text()
FOLDER = Path(__file__).parents[2] / "chatcore" / "responders"


def test_every_option_is_listed() -> None:
    listed = re.findall(r"^\| `(\w+)` \| [^|]+ \| [^|]+ \|$", PAGE, re.MULTILINE)
    assert listed == list(ResponderOptions.__struct_fields__)


def test_every_reason_is_listed() -> None:
    sources = "\n".join(path.read_text() for path in FOLDER.glob("*.py"))
    reasons = set(
        re.findall(
            r'reason="(\w+)"|reason, sentence = "(\w+)"|\d+: \("(\w+)", "|\("(\w+)", "\{where\}', sources
        )
    )
    for reason in {name for names in reasons for name in names if name}:
        assert f"`{reason}`" in PAGE, reason
    assert len(reasons) >= 14
