"""Conversations as the pictures need them, made through the server's API and its scripted responder."""

import time
from collections.abc import Callable
from io import BytesIO

from PIL import Image, ImageDraw

from scripts.shots.texts import FORMULA, LETTERS, PIECES, QUESTION, UNRULY, WAVE
from tests.browser.driving import Server
from tests.browser.media import wav

__all__ = [
    "answered",
    "answering",
    "failed",
    "interrupted",
    "landscape",
    "letters",
    "nothing",
    "photographed",
    "remembered",
    "stepwise",
    "stopped",
    "thinking",
    "told",
    "unruly",
    "versions",
]

SAID_SECONDS = 60.0
STEPS = (
    ("reasoning", {"text": "The person asks about the weather in Bonn. I should look it up, not guess."}),
    ("tool_call", {"call_id": "1", "name": "look_up_weather", "arguments": '{"place": "Bonn", "days": 1}'}),
    ("tool_result", {"call_id": "1", "output": "dry until the evening, then showers"}),
    ("usage", {"prompt_tokens": 812, "completion_tokens": 64}),
)


def nothing(server: Server) -> None:
    """No conversation yet."""


def told(answer: str, question: str = QUESTION) -> Callable[[Server], str]:
    """One question and its answer."""

    def make(server: Server) -> str:
        made = ask(server, question)
        server.end(question, answer)
        return made

    return make


answered = told(f"{FORMULA}\n{PIECES}")
unruly = told(UNRULY, "Show me what is hard to set: Donaudampfschifffahrtselektrizitätenhauptbetriebswerk.")
letters = told(LETTERS, "ما هي الجاذبية؟ 引力是什么？")


def ask(server: Server, question: str, **settings: str) -> str:
    """A new conversation in which the question was asked."""
    made: str = server.api.post("/conversations", json={"settings": settings}).json()["id"]
    again(server, made, question)
    return made


def again(server: Server, made: str, question: str) -> None:
    server.api.post(f"/conversations/{made}/messages", json={"text": question}).raise_for_status()


def newest(server: Server, made: str) -> dict[str, object]:
    """The newest message."""
    message: dict[str, object] = server.api.get(f"/conversations/{made}/messages").json()["messages"][-1]
    return message


def answering(server: Server) -> str:
    """An answer that is being written."""
    made = ask(server, "What is a wave?")
    server.say("What is a wave?", WAVE * 4, "\n\n```python\nwave = [sin(")
    return made


def thinking(server: Server) -> str:
    """An answer of which there is no word yet."""
    return ask(server, "What is a wave?")


def failed(server: Server) -> str:
    """Two answers that failed, at once and after some words."""
    made = ask(server, "Can you do this?")
    server.fail("Can you do this?", "The model can't be reached: connection refused.")
    again(server, made, "Can you do it now?")
    server.say("Can you do it now?", "Let me look into it.")
    server.fail("Can you do it now?", "The model stopped in the middle of its answer.")
    return made


def stopped(server: Server) -> str:
    """An answer that a person stopped."""
    made = answering(server)
    server.api.post(f"/conversations/{made}/stop").raise_for_status()
    return made


def interrupted(server: Server) -> str:
    """An answer whose server went down."""
    made = answering(server)
    deadline = time.monotonic() + SAID_SECONDS
    while not newest(server, made)["parts"]:  # only what was shown survives
        assert time.monotonic() < deadline, "nothing was said"
    server.kill()
    server.start()
    return made


def versions(server: Server) -> str:
    """Three answers, and two wordings of the question, of which the second of each is shown."""
    question, better = "Name a moon of Saturn.", "Name a large moon of Saturn."
    made = told("Mimas.", question)(server)
    messages = server.api.get(f"/conversations/{made}/messages").json()["messages"]
    server.api.post(f"/messages/{messages[0]['id']}/edit", json={"text": better}).raise_for_status()
    server.end(better, "Rhea.")
    answer = newest(server, made)["id"]
    answers = [answer]
    for text in ("Titan, which is larger than Mercury.", "Iapetus."):
        server.api.post(f"/messages/{answer}/regenerate", json={}).raise_for_status()
        server.end(better, text)
        answers.append(newest(server, made)["id"])
    server.api.post(f"/conversations/{made}/head", json={"message_id": answers[1]}).raise_for_status()
    return made


def stepwise(server: Server) -> str:
    """Reasoning, a tool and an answer."""
    question = "Will it rain in Bonn?"
    made = ask(server, question)
    for kind, fields in STEPS:
        server.part(question, kind, **fields)
    server.end(question, "It stays dry **until the evening**. Take an umbrella if you are out late.")
    return made


def remembered(server: Server) -> str:
    """A conversation of which the model remembers the end."""
    made = ""
    for question in ("What is a wave?", "And what is a tide?", "Which of them is longer?"):
        if made:
            again(server, made, question)
        else:
            made = ask(server, question, responder="forgetful")
        server.end(question, WAVE * 4)
    return made


def photographed(server: Server) -> str:
    """A picture, a sound and texts, with an answer."""
    question = "What do you make of these?"
    made: str = server.api.post("/conversations", json={}).json()["id"]
    files = [
        ("files", ("a hill at dusk.png", landscape(), "image/png")),
        ("files", ("tone.wav", wav(), "audio/wav")),
        (
            "files",
            (
                "minutes of the meeting, second revision, with all the remarks of the board.txt",
                b"Milk.",
                "text/plain",
            ),
        ),
    ]
    sent = server.api.post(f"/conversations/{made}/messages", data={"text": question}, files=files)
    sent.raise_for_status()
    server.end(question, "A hill at dusk, a tone of 255 Hz, and a reminder to buy milk.")
    return made


def landscape() -> bytes:
    """A picture of 900 by 600 pixels."""
    image = Image.new("RGB", (900, 600))
    brush = ImageDraw.Draw(image)
    for row in range(600):
        brush.line([(0, row), (900, row)], fill=(70 + row // 5, 90 + row // 6, 160 - row // 8))
    brush.ellipse((620, 120, 720, 220), fill=(250, 214, 150))
    brush.polygon(
        [(0, 600), (0, 430), (260, 330), (520, 450), (760, 360), (900, 420), (900, 600)], fill=(46, 64, 58)
    )
    made = BytesIO()
    image.save(made, "PNG")
    return made.getvalue()
