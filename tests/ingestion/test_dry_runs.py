"""A dry run tells what really becomes of versions that come one after the other, whatever the store has."""

import pytest

from chatcore import Engine, Incoming, IncomingMessage
from chatcore.incoming import IncomingFile
from chatcore.messages import Text

pytestmark = pytest.mark.anyio

PICTURE = IncomingFile(name="a.png", content=b"\x89PNG\r\n\x1a\n")


async def test_what_is_known_by_its_content_is_so_with_files_too(engine: Engine) -> None:
    message = IncomingMessage(role="user", parts=(Text("q"), PICTURE))
    given = Incoming(source="test", linear=True, messages=[message])
    for dry_run, outcome in ((False, "imported"), (True, "unchanged"), (False, "unchanged")):
        report = await engine.ingest([given], dry_run=dry_run)
        assert getattr(report, outcome) == 1
