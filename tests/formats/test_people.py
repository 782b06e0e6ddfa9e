"""Chats among people: who is the assistant, and what each messenger writes oddly."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from chatcore.formats.format import ReadOptions, Record
from chatcore.formats.neighbours import Neighbours
from chatcore.formats.people import messenger, slack, telegram, whatsapp
from chatcore.formats.people.dates import Moment, dated
from chatcore.incoming import Incoming, IncomingFile
from chatcore.messages import Text
from tests.formats.vendors import Outcome, Packed, read

ADA = ReadOptions(assistant="Ada")
AT = 1_700_000_000_000_000


def told(found: Outcome) -> Incoming:
    assert found.unread == []
    (conversation,) = found.conversations
    return conversation


def said(conversation: Incoming) -> list[tuple[str, str]]:
    """Role and words of each message that is shown."""
    return [
        (message.role, "".join(part.text for part in message.parts if isinstance(part, Text)))
        for message in conversation.messages
        if not message.hidden
    ]


def files(conversation: Incoming) -> list[IncomingFile]:
    return [p for message in conversation.messages for p in message.parts if isinstance(p, IncomingFile)]


# --- who is the assistant -----------------------------------------------------------------------------------


def chat(*said: tuple[str, str], kind: str = "private_group", known: int = 7) -> dict[str, object]:
    return {
        "id": known,
        "name": "Tea",
        "type": kind,
        "messages": [
            {
                "id": number,
                "type": "message",
                "date_unixtime": str(1_700_000_000 + number),
                "from": name,
                "from_id": f"user{name}",
                "text": text,
            }
            for number, (name, text) in enumerate(said)
        ],
    }


TALK = chat(("Ada", "Tea?"), ("Bob", "Yes."), ("Cy", "No."))


def test_without_an_assistant_it_is_refused_with_the_names() -> None:
    found = read(telegram.FORMAT, [TALK])
    assert found.conversations == []
    (refused,) = found.unread
    assert refused.kind == "failed"
    assert refused.id == "7"
    assert refused.record == b"{}"
    assert "Ada, Bob, Cy" in refused.reason
    assert "--assistant NAME" in refused.reason


@pytest.mark.parametrize("name", ["Ada", " ada ", "ADA", "userAda"])
def test_what_the_assistant_says_is_an_answer_and_all_else_a_question(name: str) -> None:
    conversation = told(read(telegram.FORMAT, [TALK], options=ReadOptions(assistant=name)))
    assert said(conversation) == [("assistant", "Tea?"), ("user", "Yes."), ("user", "No.")]
    assert [(message.raw or {})["name"] for message in conversation.messages] == ["Ada", "Bob", "Cy"]


def test_a_name_that_nobody_has_fails_but_a_chat_without_the_assistant_is_skipped() -> None:
    other = chat(("Bob", "Coffee?"), ("Cy", "Yes."), known=8)
    assert [
        (u.kind, u.id) for u in read(telegram.FORMAT, [TALK], options=ReadOptions(assistant="Adah")).unread
    ] == [("failed", "7")]
    found = read(telegram.FORMAT, [other, TALK], options=ADA)
    assert [conversation.id for conversation in found.conversations] == ["7"]
    assert [(u.kind, u.id) for u in found.unread] == [("skipped", "8")]


def test_who_is_known_by_a_number_or_an_address_only_is_not_named() -> None:
    people = ("+44 7700 900123", "x"), ("bob@example.org", "y"), ("Ada", "z")
    refused = read(telegram.FORMAT, [chat(*people)]).unread[0].reason
    assert "Person 1, Person 2, Ada" in refused
    conversation = told(
        read(telegram.FORMAT, [chat(*people)], options=ReadOptions(assistant="+44 7700 900123"))
    )
    assert [message.role for message in conversation.messages] == ["assistant", "user", "user"]
    assert [(message.raw or {})["name"] for message in conversation.messages] == [
        "Person 1",
        "Person 2",
        "Ada",
    ]
    assert "900123" not in str([(message.raw, message.parts) for message in conversation.messages])


def test_many_names_are_counted() -> None:
    reason = read(telegram.FORMAT, [chat(*((f"P{n}", "x") for n in range(30)))]).unread[0].reason
    assert "P11 and 18 more" in reason


# --- Telegram -----------------------------------------------------------------------------------------------


def message(**more: object) -> dict[str, object]:
    return {"id": 1, "type": "message", "date_unixtime": "1700000000", "from": "Ada", "from_id": "u1", **more}


def telegram_chat(*messages: object, **more: object) -> dict[str, object]:
    return {"id": 7, "name": "Tea", "type": "personal_chat", "messages": list(messages), **more}


@pytest.mark.parametrize(
    ("given", "parts"),
    [
        ({"text": "plain"}, (Text("plain"),)),
        ({"text": ["a ", {"type": "bold", "text": "b"}, " c"]}, (Text("a b c"),)),
        ({"text": [None, 5, {"type": "bold"}]}, (Text(""),)),
        ({"text": ""}, (Text(""),)),
        ({}, (Text(""),)),
        (
            {"photo": "photos/p.jpg", "photo_file_size": 9, "text": "look"},
            (IncomingFile(name="p.jpg", pointer="photos/p.jpg", size_bytes=9), Text("look")),
        ),
        (
            {"file": "files/a.pdf", "file_name": "A.pdf", "mime_type": "application/pdf", "file_size": 3},
            (IncomingFile(name="A.pdf", media_type="application/pdf", size_bytes=3, pointer="files/a.pdf"),),
        ),
        (
            {
                "file": "(File not included. Change data exporting settings to download.)",
                "media_type": "sticker",
            },
            (
                IncomingFile(
                    name="sticker", pointer="(File not included. Change data exporting settings to download.)"
                ),
            ),
        ),
        (
            {"poll": {"question": "When?", "answers": [{"text": "Now"}, {"text": "Later"}]}},
            (Text("When?\n- Now\n- Later"),),
        ),
    ],
)
def test_telegram_contents(given: dict[str, object], parts: tuple[object, ...]) -> None:
    conversation = told(read(telegram.FORMAT, [telegram_chat(message(**given))], options=ADA))
    assert conversation.messages[0].parts == parts


def test_telegram_service_messages_are_hidden_and_deleted_accounts_keep_their_words() -> None:
    conversation = told(
        read(
            telegram.FORMAT,
            [
                telegram_chat(
                    {
                        "id": 1,
                        "type": "service",
                        "date": "2023-11-14T22:13:20",
                        "actor": "Bob",
                        "action": "phone_call",
                    },
                    message(id=2, text="hi", **{"from": "Ada"}),
                    {
                        "id": 3,
                        "type": "message",
                        "date": "2023-11-14T22:13:20",
                        "from": None,
                        "from_id": "u9",
                        "text": "?",
                    },
                    "no message",
                )
            ],
            options=ADA,
        )
    )
    first, second, third = conversation.messages
    assert (first.role, first.hidden, first.parts) == ("system", True, (Text("Bob phone call"),))
    assert (second.role, third.role, (third.raw or {})["name"]) == ("assistant", "user", "Deleted account")
    assert [m.created_at_us for m in conversation.messages] == [AT, AT, AT]
    assert conversation.repaired == {"an entry that is no message": 1}


def test_a_bot_is_the_assistant_of_its_chat() -> None:
    talk = telegram_chat(
        message(text="/start"),
        message(text="Hello!", **{"from": "Tea Bot", "from_id": "user7"}),
        type="bot_chat",
    )
    assert [m.role for m in told(read(telegram.FORMAT, [talk])).messages] == ["user", "assistant"]


def test_a_full_telegram_export_is_all_its_chats_and_nothing_of_the_account() -> None:
    whole = {
        "about": "…",
        "personal_information": {"phone_number": "+44 7700 900123", "first_name": "Ada"},
        "chats": {"about": "…", "list": [TALK, chat(("Bob", "?"), ("Ada", "!"), known=8)]},
        "left_chats": {"list": [chat(("Ada", "Bye"), known=9), {"type": "weird"}]},
    }
    assert telegram.FORMAT.recognises(Record(value=whole, body=b""))
    found = read(telegram.FORMAT, [whole], options=ADA)
    assert [(c.id, c.place) for c in found.conversations] == [
        ("7", "item 1 chat 1"),
        ("8", "item 1 chat 2"),
        ("9", "item 1 chat 3"),
    ]
    assert "900123" not in repr(found)


def test_telegram_keeps_what_it_does_not_know_but_no_numbers() -> None:
    odd = message(
        text=[{"type": "link", "text": "x"}, {"type": "phone", "text": "+44 7700 900123"}],
        reply_to_message_id=5,
        contact_information={"first_name": "Bob", "phone_number": "+44 7700 900123"},
    )
    conversation = told(read(telegram.FORMAT, [telegram_chat(odd)], options=ADA))
    assert conversation.messages[0].raw == {
        "name": "Ada",
        "reply_to_message_id": 5,
        "contact_information": {"first_name": "Bob"},
        "text_entities": [{"type": "link", "text": "x"}],
    }


# --- Messenger ----------------------------------------------------------------------------------------------


def thread(*messages: object, **more: object) -> dict[str, object]:
    return {
        "participants": [{"name": "Ada"}, {"name": "Bob"}],
        "messages": list(messages),
        "title": "Bob",
        "thread_path": "inbox/bob_1",
        **more,
    }


def sent(name: str, at_ms: int, text: str | None = None, **more: object) -> dict[str, object]:
    return {"sender_name": name, "timestamp_ms": at_ms, **({} if text is None else {"content": text}), **more}


def test_messenger_is_read_oldest_first_also_across_files() -> None:
    newer = thread(
        sent("Ada", 1_700_000_003_000, "3"),
        sent("Bob", 1_700_000_002_000, "2b"),
        sent("Bob", 1_700_000_002_000, "2a"),
    )
    older = thread(sent("Ada", 1_700_000_001_000, "1"))
    other = thread(sent("Ada", 1_700_000_001_000, "x"), thread_path="inbox/cy_2", title="Cy")
    found = read(messenger.FORMAT, [newer, older, other], options=ADA)
    assert [[text for _, text in said(conversation)] for conversation in found.conversations] == [
        ["1", "2a", "2b", "3"],
        ["x"],
    ]
    assert found.conversations[0].created_at_us == AT + 1_000_000


def test_messenger_mojibake_is_undone_and_counted() -> None:
    def broken(text: str) -> str:
        return text.encode().decode("latin-1")

    talk = thread(
        sent("Ada", 1_700_000_000_000, broken("Schöne Grüße 🍵")),
        sent(
            broken("Zoë"), 1_700_000_001_000, "Grüße", reactions=[{"reaction": broken("❤"), "actor": "Ada"}]
        ),
        participants=[{"name": broken("Zoë")}],
        title=broken("Zoë"),
    )
    conversation = told(read(messenger.FORMAT, [talk], options=ADA))
    assert conversation.title == "Zoë"
    assert said(conversation)[0] == ("assistant", "Schöne Grüße 🍵")
    zoe = next(m for m in conversation.messages if m.role == "user")
    assert zoe.parts == (Text("Grüße"),)  # what is right already stays
    assert zoe.raw == {"name": "Zoë", "reactions": [{"reaction": "❤", "actor": "Ada"}]}
    assert conversation.raw is not None
    assert conversation.raw["participants"] == ["Zoë"]
    assert conversation.repaired == {"UTF-8 that was read as Latin-1": 2}


def test_messenger_files_are_found_beside_it(tmp_path: Path) -> None:
    archive = Packed(
        {"messages/inbox/bob_1/photos/1.jpg": b"jpeg", "messages/inbox/bob_1/message_1.json": b""}, tmp_path
    )
    talk = thread(
        sent("Ada", 1, photos=[{"uri": "messages/inbox/bob_1/photos/1.jpg"}, {"uri": "gone.jpg"}, {}]),
        sent("Ada", 2, sticker={"uri": "stickers/2.png"}),
        sent("Ada", 3),
    )
    conversation = told(
        read(
            messenger.FORMAT,
            [talk],
            archive=archive,
            file="e.zip:messages/inbox/bob_1/message_1.json",
            options=ADA,
        )
    )
    found = {file.name: file.at for file in files(conversation)}
    assert found.keys() == {"1.jpg", "gone.jpg", "2.png"}
    assert found["1.jpg"] is not None
    assert found["1.jpg"].read_bytes() == b"jpeg"
    assert found["gone.jpg"] is None


def test_the_encrypted_form_of_messenger_is_read_too() -> None:
    talk = {
        "participants": ["Ada", "Bob"],
        "threadName": "Bob_1",
        "messages": [
            {"senderName": "Bob", "text": "hi", "timestamp": 1_700_000_000_000, "type": "text", "media": []},
            {
                "senderName": "Ada",
                "text": "ho",
                "timestamp": 1_700_000_001_000,
                "type": "text",
                "isUnsent": False,
            },
        ],
    }
    assert messenger.FORMAT.recognises(Record(value=talk, body=b""))
    conversation = told(read(messenger.FORMAT, [talk], options=ADA))
    assert said(conversation) == [("user", "hi"), ("assistant", "ho")]
    assert (conversation.id, conversation.created_at_us) == ("Bob_1", AT)


def test_messenger_ids_stay_when_older_messages_are_gone() -> None:
    talk = [sent("Ada", 3, "x"), sent("Bob", 2, "ok"), sent("Bob", 2, "ok"), sent("Ada", 1, "y")]
    whole = told(read(messenger.FORMAT, [thread(*talk)], options=ADA))
    later = told(read(messenger.FORMAT, [thread(sent("Ada", 4, "z"), *talk[:-1])], options=ADA))
    assert [m.id for m in later.messages][:3] == [m.id for m in whole.messages][1:]
    assert len({m.id for m in whole.messages}) == 4


# --- WhatsApp -----------------------------------------------------------------------------------------------


def lines(text: str) -> Outcome:
    return read(whatsapp.FORMAT, text.split("\n"), file="_chat.txt", options=ADA)


@pytest.mark.parametrize(
    "line",
    [
        "[8/15/23, 9:12:43 PM] Ada: hi",
        "[8/15/23, 9:12:43\u202fPM] Ada: hi",
        "\u200e[15.08.23, 21:12:43] Ada: hi",
        "15/08/2023, 21:12 - Ada: hi",
        "15.08.23, 21:12 - Ada: hi",
        "15/08/2023, 9:12 pm - Ada: hi",
        "15/08/2023, 9:12 p. m. - Ada: hi",
        "2023-08-15, 9:12 p.m. - Ada: hi",
        "15-08-2023 21:12 - Ada: hi",
        "2023/8/15 下午9:12 - Ada: hi",
        "2023. 8. 15. 오후 9:12 - Ada: hi",
        "15. 8. 2023 21:12 - Ada: hi",
        "15.8.2023 klo 21.12 - Ada: hi",
        "\u200f15\u200f/8\u200f/2023، 9:12 م - Ada: hi",
        "١٥/٨/٢٠٢٣، ٢١:١٢ - Ada: hi",
        "\ufeff15.08.23, 21:12 Uhr - Ada: hi",
    ],
)
def test_whatsapp_heads_of_many_languages(line: str) -> None:
    assert whatsapp.FORMAT.recognises(Record(value=line, body=b""))
    conversation = told(lines(line))
    assert said(conversation) == [("assistant", "hi")]
    minute = 1_692_133_920_000_000  # 2023-08-15T21:12Z
    assert (conversation.messages[0].created_at_us or 0) // 60_000_000 == minute // 60_000_000


@pytest.mark.parametrize(
    "line", ["", "hi", "Ada: hi", "15/08/2023 is a day", "99/99/2023, 21:12 - Ada: hi", "1.2.3", "[1] Ada: x"]
)
def test_no_head(line: str) -> None:
    assert not whatsapp.FORMAT.recognises(Record(value=line, body=b""))


@pytest.mark.parametrize(
    ("dates", "order", "days"),
    [
        (["13/02/23", "01/03/23"], "day first", [(2, 13), (3, 1)]),
        (["02/13/23", "03/01/23"], "month first", [(2, 13), (3, 1)]),
        (
            ["05/01/23", "06/01/23", "01/02/23"],
            "day first",
            [(1, 5), (1, 6), (2, 1)],
        ),  # the other way it goes back
        (["01/11/23", "01/12/23", "02/01/23"], "month first", [(1, 11), (1, 12), (2, 1)]),
        (["01/02/23"], "day first", [(2, 1)]),
        (["2023-02-01"], "year first", [(2, 1)]),
    ],
)
def test_which_number_is_the_day_is_decided_by_the_whole_file(
    dates: list[str], order: str, days: list[tuple[int, int]]
) -> None:
    conversation = told(lines("\n".join(f"{date}, 10:00 - Ada: {n}" for n, date in enumerate(dates))))
    assert conversation.raw == {"date_order": order}
    assert [_day(message.created_at_us) for message in conversation.messages] == days


def test_a_date_that_there_is_not_is_no_time() -> None:
    moments = [Moment(31, 1, 2023, 10, 0, 0), Moment(30, 2, 2023, 10, 0, 0)]
    times, order = dated(moments)
    assert (order, times[0] is None, times[1]) == ("day first", False, None)


def _day(at_us: int | None) -> tuple[int, int]:
    assert at_us is not None
    moment = datetime.fromtimestamp(at_us / 1e6, UTC)
    return moment.month, moment.day


def test_where_the_clock_says_pm_the_month_comes_first() -> None:
    assert dated([Moment(1, 2, 23, 10, 0, 0, "PM")])[1] == "month first"
    assert dated([Moment(1, 2, 23, 10, 0, 0, "Uhr")])[1] == "day first"


def test_noon_and_midnight() -> None:
    hours = [
        moment.read("month first")
        for moment in (Moment(1, 2, 23, 12, 0, 0, "AM"), Moment(1, 2, 23, 12, 0, 0, "pm"))
    ]
    assert [moment.hour for moment in hours if moment is not None] == [0, 12]


def test_a_whatsapp_message_may_have_many_lines_and_colons() -> None:
    conversation = told(
        lines(
            "15.08.23, 21:12 - Ada: one\n\ntwo: 2\n3.5. three\r\n15.08.23, 21:13 - Bob: a: b\n"
            "15.08.23, 21:14 - Bob: "
        )
    )
    assert said(conversation) == [("assistant", "one\n\ntwo: 2\n3.5. three"), ("user", "a: b"), ("user", "")]


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("\u200eimage omitted", (IncomingFile(name="image omitted"),)),
        ("\u200eBild weggelassen", (IncomingFile(name="Bild weggelassen"),)),
        ("Plan.pdf • \u200e2 pages \u200edocument omitted", (IncomingFile(name="Plan.pdf"),)),
        ("<Media omitted>", (IncomingFile(name="Media omitted"),)),
        ("<Medien ausgeschlossen>", (IncomingFile(name="Medien ausgeschlossen"),)),
        ("<3", (Text("<3"),)),
        ("<html>", (Text("<html>"),)),
        ("image omitted", (Text("image omitted"),)),  # somebody may write so
        (
            "\u200e<attached: 0001-PHOTO.jpg>",
            (IncomingFile(name="0001-PHOTO.jpg", pointer="0001-PHOTO.jpg"),),
        ),
        (
            "IMG-1.jpg (file attached)\nlook",
            (IncomingFile(name="IMG-1.jpg", pointer="IMG-1.jpg"), Text("look")),
        ),
        ("hi \u200e<This message was edited>", (Text("hi"),)),
    ],
)
def test_whatsapp_contents(text: str, parts: tuple[object, ...]) -> None:
    conversation = told(lines(f"15.08.23, 21:12 - Ada: {text}"))
    assert conversation.messages[0].parts == parts
    assert conversation.messages[0].role == "assistant"


def test_what_whatsapp_writes_itself_is_hidden() -> None:
    conversation = told(
        lines(
            "[15.08.23, 21:12:00] Tea: \u200eMessages and calls are end-to-end encrypted.\n"
            "15.08.23, 21:12 - Bob hat die Gruppe „Tea“ erstellt\n"
            '15.08.23, 21:12 - Bob changed the subject to "x: y"\n'
            "[15.08.23, 21:13:00] Ada: \u200eLocation: https://example.org/?q=1,2\n"
        )
    )
    assert [(m.role, m.hidden) for m in conversation.messages] == [("system", True)] * 3 + [
        ("assistant", False)
    ]
    assert said(conversation) == [("assistant", "Location: https://example.org/?q=1,2")]


def test_whatsapp_media_come_from_the_zip(tmp_path: Path) -> None:
    archive = Packed({"_chat.txt": b"", "0001-PHOTO.jpg": b"jpeg"}, tmp_path)
    found = read(
        whatsapp.FORMAT,
        ["[15.08.23, 21:12:00] Ada: \u200e<attached: 0001-PHOTO.jpg>"],
        archive=archive,
        file="WhatsApp.zip:_chat.txt",
        options=ADA,
    )
    (file,) = files(told(found))
    assert file.at is not None
    assert file.at.read_bytes() == b"jpeg"


def test_whatsapp_numbers_are_not_kept() -> None:
    found = lines("15.08.23, 21:12 - \u202a+44 7700 900123\u202c: hi\n15.08.23, 21:12 - Ada: ho")
    assert [(m.raw or {})["name"] for m in told(found).messages] == ["Person 1", "Ada"]
    assert "900123" not in repr(found)


def test_a_whatsapp_file_that_has_grown_is_the_same_conversation() -> None:
    short = "15.08.23, 21:12 - Ada: a\n15.08.23, 21:12 - Ada: a"
    one, other = told(lines(short)), told(lines(f"{short}\n16.08.23, 21:12 - Bob: b"))
    assert one.id == other.id
    assert [m.id for m in one.messages] == [m.id for m in other.messages][:2]
    assert len({m.id for m in other.messages}) == 3


def test_a_text_that_is_no_whatsapp_export_is_refused() -> None:
    (refused,) = lines("some\nlines").unread
    assert refused.kind == "failed"
    assert lines("").unread == []


def test_hostile_lines_take_no_time() -> None:
    long = "x " * 200_000
    for text in (
        f"\u200e{long}omitted",
        "<" * 100_000 + ">",
        "<a:" * 50_000,
        f"{long}•" * 2,
        " " * 200_000 + "•",
        "\u200e" + "a" * 100_000 + "\nb",
    ):
        told(lines(f"15.08.23, 21:12 - Ada: {text}"))


# --- Slack --------------------------------------------------------------------------------------------------

USERS = b"""[
  {"id": "U1", "name": "ada",
   "profile": {"display_name": "Ada", "real_name": "Ada L",
               "email": "a@example.org", "phone": "+44 7700 900123"}},
  {"id": "U2", "name": "bob", "profile": {"display_name": "", "real_name": "Bob B"}}
]"""
CHANNELS = b'[{"id": "C1", "name": "tea", "is_archived": true, "topic": {"value": "Tea"}}]'
DMS = b'[{"id": "D1", "created": 1, "members": ["U1", "U2"]}]'


def post(ts: float, text: str = "x", user: str = "U1", **more: object) -> dict[str, object]:
    return {"type": "message", "user": user, "ts": f"{ts:.6f}", "text": text, **more}


def workspace(tmp_path: Path, days: dict[str, list[object]], options: ReadOptions = ADA) -> Outcome:
    archive = Packed(
        {"users.json": USERS, "channels.json": CHANNELS, "dms.json": DMS, **dict.fromkeys(days, b"")},
        tmp_path,
    )
    records = [
        Record(value=value, body=b"[]", file=f"slack.zip:{name}", archive=archive)
        for name, value in days.items()
    ]
    found = list(slack.FORMAT.read(records, options))
    return Outcome(
        [item for item in found if isinstance(item, Incoming)],
        [item for item in found if not isinstance(item, Incoming)],
    )


def test_a_slack_channel_is_one_conversation_over_all_its_days(tmp_path: Path) -> None:
    found = workspace(
        tmp_path,
        {
            "D1/2023-11-14.json": [post(5, "dm"), post(6, "?", "U2")],
            "tea/2023-11-14.json": [post(2, "b", "U2"), post(1, "a")],
            "tea/2023-11-15.json": [post(3, "c"), "odd"],
        },
    )
    direct, tea = found.conversations
    assert (direct.id, direct.title) == ("D1", "Ada, Bob B")
    assert (tea.id, tea.title, tea.archived) == ("C1", "tea", True)
    assert said(tea) == [("assistant", "a"), ("user", "b"), ("assistant", "c")]
    assert [m.parent for m in tea.messages] == [None, "1.000000", "2.000000"]
    assert tea.head == "3.000000"
    assert tea.repaired == {"an entry that is no message": 1}
    assert tea.raw == {"is_archived": True, "topic": {"value": "Tea"}}


def test_slack_threads_branch_off(tmp_path: Path) -> None:
    found = workspace(
        tmp_path,
        {
            "tea/2023-11-14.json": [
                post(1, "root", thread_ts="1.000000"),
                post(2, "next"),
                post(3, "reply 1", thread_ts="1.000000"),
                post(4, "reply 2", thread_ts="1.000000"),
                post(5, "lost", thread_ts="0.500000"),
            ]
        },
    )
    (tea,) = found.conversations
    assert {m.id: m.parent for m in tea.messages} == {
        "1.000000": None,
        "2.000000": "1.000000",
        "3.000000": "1.000000",
        "4.000000": "3.000000",
        "5.000000": "2.000000",
    }
    assert tea.head == "5.000000"
    assert tea.repaired == {"a reply whose first message is missing": 1}


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ("&lt;b&gt; &amp;amp;", "<b> &amp;"),
        ("<@U2> and <@U9|zed> and <@U8>", "@Bob B and @zed and @U8"),
        ("<#C1|tea> <!here> <!subteam^S1|@all>", "#tea @here @all"),
        (
            "<https://example.org|here> <https://example.org>",
            "here (https://example.org) https://example.org",
        ),
        ("<mailto:a@example.org|a@example.org>", "a@example.org"),
        ("<!date^1|Monday>", "Monday"),
        ("a < b > c", "a < b > c"),
    ],
)
def test_slack_escapes(tmp_path: Path, given: str, text: str) -> None:
    (tea,) = workspace(tmp_path, {"tea/2023-11-14.json": [post(1, given)]}).conversations
    assert said(tea) == [("assistant", text)]
    assert (tea.messages[0].raw or {}).get("text") == (given if given != text else None)


def test_slack_bots_guests_and_its_own_lines(tmp_path: Path) -> None:
    found = workspace(
        tmp_path,
        {
            "tea/2023-11-14.json": [
                {
                    "type": "message",
                    "subtype": "channel_join",
                    "ts": "1.0",
                    "user": "U7",
                    "text": "<@U7> joined",
                },
                post(2, user="U7", user_profile={"real_name": "Guest", "display_name": "", "name": "g"}),
                {
                    "type": "message",
                    "subtype": "bot_message",
                    "ts": "3.0",
                    "bot_id": "B1",
                    "username": "Ada",
                    "text": "",
                    "attachments": [{"fallback": "beep"}],
                },
            ]
        },
    )
    (tea,) = found.conversations
    assert [(m.role, m.hidden, m.parts) for m in tea.messages] == [
        ("system", True, (Text("@Guest joined"),)),
        ("user", False, (Text("x"),)),
        ("assistant", False, (Text("beep"),)),
    ]


def test_slack_files_without_their_tokens(tmp_path: Path) -> None:
    item = {
        "id": "F1",
        "name": "a.png",
        "mimetype": "image/png",
        "size": 5,
        "url_private_download": "https://files.example.org/a.png?t=xoxe-1",
    }
    found = workspace(tmp_path, {"tea/2023-11-14.json": [post(1, "", files=[item])]})
    assert files(found.conversations[0]) == [
        IncomingFile(name="a.png", media_type="image/png", size_bytes=5, pointer="F1")
    ]
    assert "xoxe" not in repr(found)


@pytest.mark.parametrize("name", ["Ada", "ada", "Ada L", "U1"])
def test_a_slack_user_has_many_names(tmp_path: Path, name: str) -> None:
    found = workspace(tmp_path, {"tea/2023-11-14.json": [post(1)]}, ReadOptions(assistant=name))
    assert said(found.conversations[0]) == [("assistant", "x")]


def test_slack_channels_without_the_assistant_are_skipped_and_no_address_is_kept(tmp_path: Path) -> None:
    days: dict[str, list[object]] = {"tea/2023-11-14.json": [post(1, user="U2")]}
    found = workspace(tmp_path, days)
    assert [(u.kind, u.id) for u in found.unread] == [("skipped", "C1")]
    found = workspace(tmp_path, days, ReadOptions(assistant="Bob B"))
    assert found.unread == []
    assert "example.org" not in repr(found)
    assert "900123" not in repr(found)


def test_a_slack_channel_in_which_nobody_speaks_is_skipped(tmp_path: Path) -> None:
    joined = {"type": "message", "subtype": "channel_join", "ts": "1.0", "user": "U1", "text": "joined"}
    found = workspace(tmp_path, {"tea/2023-11-14.json": [joined], "zed/2023-11-14.json": []})
    assert [(u.kind, u.id) for u in found.unread] == [("skipped", "C1"), ("skipped", "zed")]


# --- files beside a record ----------------------------------------------------------------------------------


def test_a_file_outside_of_the_folder_is_never_found(tmp_path: Path) -> None:
    inside = tmp_path / "export"
    (inside / "photos").mkdir(parents=True)
    (tmp_path / "secret.txt").write_text("x")
    (inside / "photos" / "p.jpg").write_text("jpeg")
    (inside / "link.txt").symlink_to(tmp_path / "secret.txt")
    record = Record(value=None, body=b"", file="result.json", folder=inside)
    neighbours = Neighbours()
    assert neighbours.find(record, "photos/p.jpg") == (inside / "photos" / "p.jpg").resolve()
    assert neighbours.find(record, "very/long/photos/p.jpg") is not None  # as an export of elsewhere says it
    for path in ("../secret.txt", "link.txt", str(tmp_path / "secret.txt"), "", "a\0b", "x" * 5000):
        assert neighbours.find(record, path) is None
