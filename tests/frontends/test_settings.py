"""Settings: which place wins, what is refused in which words, and that the documentation has all of them."""

import re
from collections.abc import Mapping
from pathlib import Path

import msgspec
import platformdirs
import pytest

from chatcore.limits import Limits
from chatcore.ports import Titling
from frontends.cli.answering import open_answering
from frontends.cli.arguments import COMMAND_NAMES
from frontends.cli.kinds import Value
from frontends.cli.settings import SETTINGS, CommandSettings, Setting, SettingsError, read_settings
from tests.frontends.serving import free_port

DOCUMENT = Path(__file__).parents[2] / "docs" / "settings.md"

# for each setting: as text (flag and variable), as TOML, and what is read
SAMPLES: dict[str, tuple[str, str, object]] = {
    "data": ("/tmp/there", '"/tmp/there"', Path("/tmp/there")),
    "host": ("127.0.0.2", '"127.0.0.2"', "127.0.0.2"),
    "port": ("8001", "8001", 8001),
    "insecure": ("true", "true", True),
    "names": (
        "chat.example,other.example",
        '["chat.example", "other.example"]',
        ("chat.example", "other.example"),
    ),
    "frontends": ("http_api", '["http_api"]', ("http_api",)),
    "responder": ("file.py:answer", '"file.py:answer"', "file.py:answer"),
    "model": ("small", '"small"', "small"),
    "base_url": ("http://127.0.0.1:1/v1", '"http://127.0.0.1:1/v1"', "http://127.0.0.1:1/v1"),
    "api_key": ("sk-1", '"sk-1"', "sk-1"),
    "no_titles": ("true", "true", True),
    "log_level": ("debug", '"debug"', "debug"),
    "limits.media_types": (
        "image/*,application/pdf",
        '["image/*", "Application/PDF"]',
        ("image/*", "application/pdf"),
    ),
    "limits.silence_seconds": ("1.5", "1.5", 1.5),
}
SAMPLES |= {s.name: ("77", "77", 77) for s in SETTINGS if s.name not in SAMPLES}


def value_of(settings: CommandSettings, name: str) -> object:
    found: object = settings
    for step in name.split("."):
        found = getattr(found, step)
    return found


def in_toml(name: str, value: str) -> str:
    table, _, key = name.rpartition(".")
    return f"[{table}]\n{key} = {value}\n" if table else f"{key} = {value}\n"


@pytest.fixture
def config(tmp_path: Path) -> Path:
    return tmp_path / "config.toml"


def read(
    config: Path | None = None, flags: Mapping[str, Value] | None = None, env: Mapping[str, str] | None = None
) -> CommandSettings:
    # a file that is not there is no file, unless somebody named it
    return read_settings(flags or {}, env or {}, None if config is None else str(config))


@pytest.fixture(autouse=True)
def _no_file_of_the_users(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "nothing"))


def test_the_table_has_a_line_for_each_setting() -> None:
    fields = [field.name for field in msgspec.structs.fields(CommandSettings) if field.name != "limits"]
    limits = [f"limits.{field.name}" for field in msgspec.structs.fields(Limits)]
    assert [setting.name for setting in SETTINGS] == fields + limits
    for attribute in ("flag", "env"):
        values = [getattr(setting, attribute) for setting in SETTINGS]
        assert len(set(values)) == len(values)
    for setting in SETTINGS:
        assert setting.commands <= set(COMMAND_NAMES)
        assert setting.env == "CHATCORE_" + setting.name.replace("limits.", "limit_").upper()


def test_defaults() -> None:
    settings = read()
    assert settings.data == Path(platformdirs.user_data_dir("chatcore", appauthor=False))
    assert (settings.host, settings.port, settings.insecure) == ("127.0.0.1", 7860, False)
    assert settings.frontends == ("gradio_web",)
    assert settings.responder is settings.model is settings.base_url is settings.api_key is None
    assert settings.limits == Limits()


@pytest.mark.parametrize("setting", SETTINGS, ids=lambda setting: setting.name)
def test_flag_before_variable_before_file_before_fallback_before_default(
    setting: Setting, config: Path
) -> None:
    text, toml, expected = SAMPLES[setting.name]
    other = {name: value_of(read(), name) for name in SAMPLES}[setting.name]
    assert other != expected

    config.write_text(in_toml(setting.name, toml))
    assert value_of(read(config), setting.name) == expected
    config.write_text(in_toml(setting.name, "{}"))
    with pytest.raises(SettingsError):
        read(config)
    config.write_text("")
    assert value_of(read(config, env={setting.env: text}), setting.name) == expected
    flags: dict[str, Value] = {setting.name: tuple(text.split(",")) if setting.kind.is_list else text}
    assert value_of(read(config, flags=flags), setting.name) == expected


@pytest.mark.parametrize("setting", SETTINGS, ids=lambda setting: setting.name)
def test_the_nearer_place_wins(setting: Setting, config: Path) -> None:
    text, toml, expected = SAMPLES[setting.name]
    wrong = "" if setting.kind.is_secret else "\x07"
    config.write_text(in_toml(setting.name, toml))
    assert value_of(read(config, env={setting.env: ""}), setting.name) == expected  # empty: not set
    if wrong:
        # a wrong value in a farther place is not even looked at
        config.write_text(in_toml(setting.name, '"\\u0007"'))
        assert value_of(read(config, env={setting.env: text}), setting.name) == expected
        flags: dict[str, Value] = {setting.name: tuple(text.split(",")) if setting.kind.is_list else text}
        assert value_of(read(config, flags=flags, env={setting.env: wrong}), setting.name) == expected


@pytest.mark.parametrize(
    ("name", "variable"), [("api_key", "OPENAI_API_KEY"), ("base_url", "OPENAI_BASE_URL")]
)
def test_variables_of_other_programs_come_last(name: str, variable: str, config: Path) -> None:
    assert value_of(read(env={variable: "theirs"}), name) == "theirs"
    config.write_text(f'{name} = "ours"')
    assert value_of(read(config, env={variable: "theirs"}), name) == "ours"


def test_openais_key_is_for_no_other_server(config: Path) -> None:
    theirs = {"OPENAI_API_KEY": "sk-theirs"}
    assert read(env={**theirs, "CHATCORE_BASE_URL": "http://127.0.0.1:1/v1"}).api_key is None
    assert read(env=theirs, flags={"base_url": "http://127.0.0.1:1/v1"}).api_key is None
    config.write_text('base_url = "http://127.0.0.1:1/v1"')
    assert read(config, env=theirs).api_key is None
    assert read(env={**theirs, "OPENAI_BASE_URL": "http://127.0.0.1:1/v1"}).api_key == "sk-theirs"


def test_the_file_is_named_by_flag_variable_or_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, port in (("flag", 1), ("variable", 2)):
        (tmp_path / name).write_text(f"port = {port}")
    place = tmp_path / "nothing" / "chatcore"
    place.mkdir(parents=True)
    (place / "config.toml").write_text("port = 3")
    env = {"CHATCORE_CONFIG": str(tmp_path / "variable")}
    assert read_settings({}, env, str(tmp_path / "flag")).port == 1
    assert read_settings({}, env).port == 2
    assert read_settings({}, {}).port == 3


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("port = 70000", "port in {} must be a port number, 0 to 65535, not 70000."),
        ("port = true", "port in {} must be a port number, 0 to 65535, not True."),
        ("port = 1.5", "port in {} must be a port number, 0 to 65535, not 1.5."),
        ('host = ""', "host in {} must be a host name or an address, not ''."),
        ('insecure = "perhaps"', "insecure in {} must be true or false, not 'perhaps'."),
        ('log_level = "loud"', "log_level in {} must be debug, info, warning or error, not 'loud'."),
        ("frontends = [1]", "frontends in {} must be names (in a variable: with commas between), not (1,)."),
        ('api_key = "a\\u0007"', "api_key in {} must be text without control characters."),
        ("prot = 1", "The settings file {} has an unknown key 'prot'; did you mean 'port'?"),
        ("xyzzy = 1", "The settings file {} has an unknown key 'xyzzy'."),
        (
            "[limits]\ntext_char = 1",
            "The settings file {} has an unknown key 'limits.text_char'; did you mean 'limits.text_chars'?",
        ),
        (
            "[limits]\nsilence_seconds = 0",
            "limits.silence_seconds in {} must be a number of seconds greater than 0, not 0.",
        ),
        (
            "[limits]\nfile_bytes = 0",
            "limits.file_bytes in {} must be a whole number, 1 or more, not 0.",
        ),
        (
            '[limits]\nmedia_types = ["png"]',
            "limits.media_types in {} must be media types, such as image/* or application/pdf",
        ),
        ("limits = 1", "limits in {} must be a table, not 1."),
        ("port = 1979-05-27", "port in {} can't be datetime.date(1979, 5, 27)."),
        ("port =", "The settings file {} is not TOML: "),
        ("port = 1\nport = 2", "The settings file {} is not TOML: "),
    ],
)
def test_what_the_file_says_wrong(text: str, sentence: str, config: Path) -> None:
    config.write_text(text)
    with pytest.raises(SettingsError) as caught:
        read(config)
    assert caught.value.sentence.startswith(sentence.format(config))
    assert "\n" not in caught.value.sentence


@pytest.mark.parametrize("text", ["-1", "65536", "1_0", " 1", "٣", "9" * 5000, "0x10", "1.0", "true"])
def test_ports_that_are_none(text: str) -> None:
    with pytest.raises(SettingsError, match=r"^--port must be a port number"):
        read(flags={"port": text})
    with pytest.raises(SettingsError, match=r"^CHATCORE_PORT must be a port number"):
        read(env={"CHATCORE_PORT": text})


@pytest.mark.parametrize("text", ["0", "-1", "nan", "inf", "1e9", "soon", "1" * 400])
def test_seconds_that_are_none(text: str) -> None:
    with pytest.raises(SettingsError, match="must be a number of seconds"):
        read(flags={"limits.silence_seconds": text})


def test_a_file_that_cannot_be_read(tmp_path: Path, config: Path) -> None:
    with pytest.raises(SettingsError, match=r"^There is no settings file"):
        read(config)
    with pytest.raises(SettingsError, match=r"can't be read: Is a directory\.$"):
        read(tmp_path)
    config.write_bytes(b"\xff")
    with pytest.raises(SettingsError, match="is not UTF-8"):
        read(config)


def table() -> list[str]:
    """The table of the documentation as the code has it."""
    return [f"| {' | '.join(cells)} |" for cells in map(_cells, SETTINGS)]


def _cells(setting: Setting) -> tuple[str, ...]:
    flag = setting.flag if setting.kind.is_flag else f"{setting.flag} {setting.metavar}"
    variable = f"`{setting.env}`" + (f", last `{setting.fallback}`" if setting.fallback else "")
    if setting.default_in_words:
        default = setting.default_in_words
    elif isinstance(setting.default, tuple):
        default = f"`{list(setting.default)}`".replace("'", '"')
    else:
        default = "none" if setting.default is None else f"`{str(setting.default).lower()}`"
    commands = ", ".join(name for name in COMMAND_NAMES if name in setting.commands) or "all"
    return f"`{setting.name}`", f"`{flag}`", variable, default, commands, setting.meaning


def test_the_documentation_has_the_same_table() -> None:
    lines = DOCUMENT.read_text().splitlines()
    documented = [line for line in lines if re.match(r"\| `", line)]
    assert documented == table()


@pytest.mark.parametrize("flags", [{}, {"no_titles": True}], ids=["titles", "no titles"])
async def test_whether_the_model_is_asked_for_titles(flags: dict[str, Value]) -> None:
    nobody = f"http://127.0.0.1:{free_port()}/v1"
    settings = read(flags={"base_url": nobody, "model": "m", **flags})
    async with open_answering(settings) as responder:
        given: object = responder
        assert isinstance(given, Titling) == (not flags)
