"""The media type of a content, from what it is and not from what it is called.

Binary formats are told by the `filetype` library, which looks at their structure: `puremagic` was tried
too and takes a plain zip for a .docx and a page of Latin-1 HTML for an image. Whether a content is text
is decided here, over all of its bytes, since neither library knows texts.
"""

import codecs
import re

import filetype  # type: ignore[import-untyped]
import msgspec

from storage.files.names import extension_of

__all__ = ["BINARY", "PLAIN", "Sniffer"]

BINARY = "application/octet-stream"
PLAIN = "text/plain"
HEAD_BYTES = 8192
"""All that `filetype` looks at."""

TEXT_TYPES = {
    ".c": "text/x-c",
    ".cpp": "text/x-c++",
    ".css": "text/css",
    ".csv": "text/csv",
    ".go": "text/x-go",
    ".h": "text/x-c",
    ".htm": "text/html",
    ".html": "text/html",
    ".ics": "text/calendar",
    ".java": "text/x-java",
    ".js": "text/javascript",
    ".json": "application/json",
    ".jsonl": "application/jsonl",
    ".log": PLAIN,
    ".markdown": "text/markdown",
    ".md": "text/markdown",
    ".mjs": "text/javascript",
    ".ndjson": "application/jsonl",
    ".py": "text/x-python",
    ".rs": "text/x-rust",
    ".rst": "text/x-rst",
    ".sh": "text/x-shellscript",
    ".sql": "application/sql",
    ".srt": "application/x-subrip",
    ".svg": "text/xml",
    ".tex": "text/x-tex",
    ".toml": "application/toml",
    ".ts": "text/x-typescript",
    ".tsv": "text/tab-separated-values",
    ".txt": PLAIN,
    ".vcf": "text/vcard",
    ".vtt": "text/vtt",
    ".xhtml": "text/html",
    ".xml": "text/xml",
    ".yaml": "application/yaml",
    ".yml": "application/yaml",
}
"""What a name may say about a content that is text. SVG is XML that can hold scripts: it is not called an
image, so that nobody who asks for ``image/`` shows it in the page or hands it to a model as a picture."""

# Formats that a file of nothing but ASCII can have.
_ASCII_MAGIC = {b"%PDF-": "application/pdf", b"{\\rtf": "application/rtf", b"%!PS": "application/postscript"}

# The registered name where the library has an older one; and markup that is not UTF-8, as above.
_RENAMED = {
    "application/font-sfnt": "font/sfnt",
    "application/font-woff": "font/woff",
    "audio/x-flac": "audio/flac",
    "audio/x-wav": "audio/wav",
    "image/svg+xml": "text/xml",
}

# All control characters that texts have no use for; tab, line feed, form feed, return and escape are usual.
_NOT_TEXT = bytes(set(range(32)) - set(b"\t\n\v\f\r\x1b")) + b"\x7f"

# Possessive (*+): else a row of comments could be divided in 2^n ways before the match fails.
_HTML = re.compile(
    rb"(?i)(?:<!--.*?-->\s*)*+<(?:!doctype\s+html|html|head|body|script|iframe)[\s>]", re.DOTALL
)
_XML = re.compile(rb"(?i)(?:<!--.*?-->\s*)*+<(?:\?xml\s|!doctype\s+svg|svg[\s>])", re.DOTALL)


class Sniffer:
    """Is fed a content piece by piece and then knows its media type."""

    def __init__(self) -> None:
        self._head = b""
        self._length = 0
        self._is_text = True
        self._decoder = codecs.getincrementaldecoder("utf-8")()

    def feed(self, data: bytes) -> None:
        """`data` follows what came before."""
        self._length += len(data)
        if len(self._head) < HEAD_BYTES:
            self._head += data[: HEAD_BYTES - len(self._head)]
        if self._is_text:
            self._is_text = len(data.translate(None, _NOT_TEXT)) == len(data) and self._decodes(data)

    def media_type(self, name: str) -> str:
        """The type of all that was fed; `name` (cleaned) only tells one kind of text from another."""
        if self._is_text and self._decodes(b"", final=True):
            return self._text_type(name)
        found: str | None = filetype.guess_mime(self._head)
        return _RENAMED.get(found, found) if found else BINARY

    def _decodes(self, data: bytes, *, final: bool = False) -> bool:
        try:
            self._decoder.decode(data, final)
        except UnicodeDecodeError:
            return False
        return True

    def _text_type(self, name: str) -> str:
        for magic, media_type in _ASCII_MAGIC.items():
            if self._head.startswith(magic):
                return media_type
        if (named := TEXT_TYPES.get(extension_of(name))) is not None:
            return named
        start = self._head.removeprefix(codecs.BOM_UTF8).lstrip()
        if _HTML.match(start):
            return "text/html"
        if _XML.match(start):
            return "text/xml"
        if start[:1] in {b"{", b"["} and self._length <= HEAD_BYTES and _is_json(start):
            return "application/json"
        return PLAIN


def _is_json(data: bytes) -> bool:
    try:
        msgspec.json.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return False
    return True
