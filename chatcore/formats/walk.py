"""The conversations of an archive or a folder: which of its members hold records, and of which format."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from itertools import chain
from typing import Literal

from chatcore.errors import InvalidInput, Unrecognised
from chatcore.formats.calling import ATTACHED, LISTS, NO_KIND, PACKED, PAGES
from chatcore.formats.detection import Broken, member_names, unrecognised
from chatcore.formats.format import ReadFormat, Record
from chatcore.formats.homes import by_folder, homes_of, is_in
from chatcore.formats.json_piece import MAX_RECORD_BYTES
from chatcore.formats.lenient import NotJson
from chatcore.formats.member_texts import MemberTexts
from chatcore.formats.members import Members, all_encrypted, packed_size
from chatcore.formats.nesting import NESTED, open_nested
from chatcore.formats.records import json_record
from chatcore.formats.registry import read_formats
from chatcore.formats.shared import Items, Shared, Text
from chatcore.formats.sight import Sight
from chatcore.formats.streams import Damaged
from chatcore.incoming import Unread

__all__ = ["Walk"]

_STRAY = (
    "It lies in the folder of an export, is in no format that is known here, and no conversation names it."
)
_NO_TEXT: Mapping[Sight, str] = {"other": "It is neither text nor packed text.", "empty": "It is empty."}


class Walk:
    """Goes through an archive once; what is open is closed with `stack`.

    Args:
        share: What each of its bytes counts, where it is itself a part of what is read; None: it is all.
        within: In how many archives it lies.
    """

    def __init__(
        self,
        name: str,
        archive: Members,
        shared: Shared,
        stack: ExitStack,
        *,
        share: float | None = None,
        within: int = 0,
    ) -> None:
        self._name = name
        self._archive = archive
        self._shared = shared
        self._share = share
        self._within = within
        self._total = 0
        self._texts = MemberTexts(name, archive, shared, share)
        self._odd: set[str] = set()
        stack.callback(self._texts.close)

    def items(self) -> Items:
        """The conversations.

        Raises:
            Unrecognised: No member is in a format that is known, and nothing else is to be told.
        """
        archive, meter = self._archive, self._shared.meter
        if (secret := all_encrypted(archive)) is not None:
            yield self._unread("failed", secret)
            return
        for member, reason in archive.refused.items():
            yield self._unread("failed", reason, member)
        for member, reason in archive.passed.items():
            yield self._unread("skipped", reason, member)
        if archive.problem is not None:
            yield self._unread("failed", archive.problem)
        seen: dict[str, set[str]] = {}
        read: set[str] = set()
        for names, formats in self._candidates():
            if not read.isdisjoint(names):
                continue
            before = meter.read
            try:
                known, records = self._members(names, formats)
            except Unrecognised:
                meter.read = before  # they are read again, each by itself
                self._odd.difference_update(names)
                continue
            self._expect(names)
            seen.setdefault(known.name, set()).update(names)
            read.update(names)
            yield from self._shared.read(known, records)
        homes = homes_of(list(seen.values()))
        read -= self._odd
        inside = [name for name in archive.names() if is_in(name, homes)]
        yield from self._others([name for name in inside if name not in read])
        rest = [name for name in archive.names() if not is_in(name, homes)]
        if rest or not seen:
            yield from self._one_by_one(rest, told=bool(seen))

    # --- an export

    def _candidates(self) -> Sequence[tuple[tuple[str, ...], list[ReadFormat]]]:
        """Which members may hold the records of which formats: of most, those of one folder."""
        found: dict[tuple[str, ...], list[ReadFormat]] = {}
        for one in read_formats() if self._shared.known is None else [self._shared.known]:
            named = member_names(self._archive.names(), one)
            named = tuple(name for name in named if self._texts.sight(name) in {"text", "packed"})
            for names in [named] if one.kind == "members" else by_folder(named):
                found.setdefault(names, []).append(one)
        # a format of one file a day is told apart by its whole folder, so it comes first
        return sorted(found.items(), key=lambda entry: all(one.kind != "members" for one in entry[1]))

    def _members(self, names: Sequence[str], formats: Sequence[ReadFormat]) -> Text:
        """The format of these members, and all their records.

        Raises:
            Unrecognised
        """
        for one in formats:
            if one.kind == "members":
                whole = self._whole(names)
                first = next(whole, None)
                if first is not None and (self._shared.known is one or one.recognises(first)):
                    return one, chain([first], whole)
        texts = [one for one in formats if one.kind != "members"]
        broken: list[tuple[str, str]] = []
        for number, member in enumerate(names):
            try:
                known, records = self._texts.known(member, texts)
            except Broken as error:
                broken.append((error.reason, member))
                continue
            except Unrecognised:
                self._odd.add(member)  # called like the others, and none of them
                continue
            for reason, other in broken:
                self._shared.faults.end(reason, f"{self._name}:{other}")
            rest = (record for other in names[number + 1 :] for record in self._further(other, known))
            return known, chain(records, rest)
        raise unrecognised(self._name, [])

    def _further(self, member: str, known: ReadFormat) -> Iterator[Record]:
        """Records of one more member that is called like those of this format."""
        if self._shared.known is not None or not NO_KIND.fullmatch(member):
            yield from self._texts.records(member, known)
            return
        try:
            _, records = self._texts.known(member, [known])
        except Unrecognised:
            self._odd.add(member)  # none of them: it is read by itself
            return
        yield from records

    def _whole(self, names: Sequence[str]) -> Iterator[Record]:
        for member in names:
            file = f"{self._name}:{member}"
            try:
                body = self._texts.stream(member).whole(MAX_RECORD_BYTES)
                if body is None:
                    self._shared.faults.add("It is longer than any record may be.", file)
                else:
                    yield json_record(body, file, self._archive)
            except (Damaged, NotJson) as error:
                self._shared.faults.add(f"It can't be read: {error}", file)

    def _others(self, names: Sequence[str]) -> Items:
        """What lies in the folder of an export and is one by itself. Of the rest, texts that no export has of
        its own are told; all else belongs to it.
        """
        for member in names:
            if member in self._archive.unpacked or ATTACHED.fullmatch(member):
                continue
            sight = self._texts.sight(member)
            if sight == "archive" and not PACKED.fullmatch(member):
                continue  # what people write with is packed so too
            if sight in _NO_TEXT or (sight == "text" and PAGES.fullmatch(member)):
                continue
            self._expect([member])
            try:
                yield from self._by_itself(member, as_named=False)
            except Broken as error:
                yield self._unread("failed", error.reason, member)
            except Unrecognised:
                is_own = LISTS.fullmatch(member) and member not in self._odd
                if not is_own and member not in self._archive.consulted:
                    yield self._unread("skipped", _STRAY, member)

    # --- any other archive

    def _one_by_one(self, names: Sequence[str], *, told: bool) -> Items:
        """Each file by itself. What is left out is told, unless (`told`: nothing was before) that is all."""
        self._expect(names)
        unknown: Unrecognised | None = None
        left: list[Unread] = []
        told = told or bool(self._archive.refused or self._archive.problem)
        for member in names:
            if self._texts.sight(member) in _NO_TEXT:
                continue
            try:
                for item in self._by_itself(member):
                    told = True
                    yield item
            except Broken as error:
                left.append(self._unread("failed", error.reason, member))
            except Unrecognised as error:
                unknown = unknown or error
                if member not in self._archive.consulted:
                    left.append(self._unread("skipped", error.sentence, member))
        if not told and all(one.kind == "skipped" for one in left):
            raise unknown or unrecognised(self._name, [])
        yield from left
        for member in names:  # pictures and the like, which no conversation has taken as its own
            reason = _NO_TEXT.get(self._texts.sight(member))
            if reason is not None and member not in self._archive.unpacked:
                yield self._unread("skipped", reason, member)

    def _by_itself(self, member: str, *, as_named: bool = True) -> Items:
        """The conversations of a member, an archive too; `as_named`: it is in the format that was named.

        Raises:
            Unrecognised
        """
        sight = self._texts.sight(member)
        is_packed = PACKED.fullmatch(member) is not None
        looked_into = sight == "archive" and is_packed and self._within == 0
        if sight != "text" and (self._archive.nests or looked_into):
            yield from self._nested(member, as_named=as_named)
        elif sight != "text" and is_packed:
            yield self._unread("failed", NESTED, member)
        else:
            yield from self._shared.read(*self._texts.known(member, read_formats(), as_named=as_named))

    def _nested(self, member: str, *, as_named: bool) -> Items:
        """Those of a file that lies on the disk as it is, or of an archive in this one."""
        shared, file = self._shared, f"{self._name}:{member}"
        with ExitStack() as stack:
            before = shared.meter.read
            try:
                source = open_nested(self._archive, member, file, shared, stack)
            except InvalidInput as error:
                yield self._unread("failed", error.sentence, member)
                return
            if source.archive is not None:
                shared.meter.read = before  # it may have been copied; its members count
                share = min(1.0, self._archive.packed_size(member) / max(1, packed_size(source.archive)))
                share *= 1.0 if self._share is None else self._share
                within = self._within + (not self._archive.nests)
                yield from Walk(file, source.archive, shared, stack, share=share, within=within).items()
            elif source.stream is not None:
                yield from shared.read(
                    *self._texts.in_stream(source.stream, member, read_formats(), as_named=as_named)
                )

    def _expect(self, names: Sequence[str]) -> None:
        """So much more is to be read."""
        if self._share is None:
            self._total += sum(self._archive.packed_size(one) for one in names)
            self._shared.meter.total = self._total

    def _unread(self, kind: Literal["failed", "skipped"], reason: str, member: str | None = None) -> Unread:
        file = self._name if member is None else f"{self._name}:{member}"
        return Unread(kind=kind, reason=reason, file=file)
