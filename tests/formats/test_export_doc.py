"""docs/export.md lists the formats that can be written, and its commands are understood."""

import re

import pytest

from chatcore.errors import InvalidInput
from chatcore.formats.registry import find_write_format, write_formats
from frontends.cli.arguments import parse_arguments
from tests.source_tree import ROOT
from tests.test_docs import blocks

DOCUMENT = ROOT / "docs" / "export.md"


def test_every_format_is_listed() -> None:
    table = DOCUMENT.read_text("utf-8").partition("| name | what it is |")[2].partition("\n\n")[0]
    assert sorted(re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE)) == [one.name for one in write_formats()]


def test_every_command_is_understood() -> None:
    (block,) = blocks(DOCUMENT, "sh")
    for line in block.splitlines():
        arguments = re.sub(r"\s*[#>].*", "", line).split()[1:]
        found = parse_arguments(arguments)
        assert find_write_format(found.format).name == found.format


def test_a_format_that_is_not_there_is_told_with_those_that_are() -> None:
    with pytest.raises(InvalidInput, match=r"“docx”.*chatcore, dpo, .*sharegpt"):
        find_write_format("docx")
