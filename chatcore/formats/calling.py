"""What the names of files in archives say of them."""

import re

__all__ = ["ATTACHED", "LISTS", "NO_KIND", "PACKED", "PAGES", "TEXTS"]


def _ending(endings: str) -> re.Pattern[str]:
    return re.compile(rf".*\.(?:{endings})", re.IGNORECASE | re.DOTALL)


ATTACHED = re.compile(r"(?:.*/)?file[-_][^/]*", re.DOTALL)
"""What exports call the files that people gave."""

LISTS = _ending(r"json(?:\.(?:gz|zst))?")
"""What exports bring beside conversations: accounts, settings, votes."""

NO_KIND = re.compile(r"(?:.*/)?[^./]+", re.DOTALL)
"""Files whose names do not say what is in them."""

TEXTS = _ending(r"(?:json|jsonl|ndjson|csv|txt|log)(?:\.(?:gz|zst))?")
"""Files that are read in the format that the person named, where no export is."""

PAGES = _ending("html?|css|js|svg|xml")
"""What exports bring for browsers: the same conversations once more, as pages."""

PACKED = _ending(r"zip|tgz|tar|tar\.gz|tar\.zst")
