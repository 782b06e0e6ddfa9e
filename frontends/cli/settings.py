"""All settings of the command in one table, and where their values come from.

A value is taken from the first of these that has one: the flag, the environment variable, the TOML file, a
variable that other programs use too (`fallback`), the default. An empty variable is none.
"""

import difflib
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TypeVar

import msgspec
import platformdirs
from msgspec import Struct

from chatcore.errors import ChatcoreError
from chatcore.limits import Limits
from frontends.cli.kinds import (
    Kind,
    Value,
    address,
    choice,
    count,
    flag,
    folder,
    media_types,
    names,
    port,
    seconds,
    secret,
    text,
)

__all__ = ["SETTINGS", "CommandSettings", "Setting", "SettingsError", "config_path", "read_settings"]

T = TypeVar("T")


class SettingsError(ChatcoreError):
    """A setting's value, or the settings file, can't be used; the sentence says where it stands."""

    code = "settings_error"


class Setting(Struct, frozen=True):
    """One line of the table.

    Attributes:
        name: Field of `CommandSettings`, and key of the TOML file (below ``[limits]`` for ``limits.…``).
        flag: Of the command line.
        env: The environment variable.
        kind: What values it takes.
        meaning: For people: what it does.
        commands: Which commands it means something to; they have the flag. Empty: all of them.
        fallback: A variable of other programs, asked before the default is taken.
        fallback_unless: Not asked where this setting was given: a key is for its own server alone.
        default_in_words: Where the default differs from machine to machine.
    """

    name: str
    flag: str
    env: str
    kind: Kind
    default: Value
    meaning: str
    commands: frozenset[str] = frozenset()
    fallback: str | None = None
    fallback_unless: str | None = None
    default_in_words: str | None = None

    @property
    def metavar(self) -> str:
        """What stands for its value in help: one value, also where the flag may be given again."""
        return self.flag.removeprefix("--").removeprefix("limit-").replace("-", "_").upper()


_SERVE = frozenset({"serve"})
_ASKING = frozenset({"serve", "chat"})
_DATA = platformdirs.user_data_dir("chatcore", appauthor=False)
_LIMITS = Limits()

# fmt: off
SETTINGS: tuple[Setting, ...] = (
    Setting("data", "--data", "CHATCORE_DATA", folder, _DATA,
            "The data directory: database, files and lock. `serve`, `chat` and `ingest` make it when it is "
            "missing.",
            default_in_words="the platform's place for data, such as `~/.local/share/chatcore`"),
    Setting("host", "--host", "CHATCORE_HOST", address, "127.0.0.1",
            "Where the server listens. Other than this machine itself only with `insecure`.", _SERVE),
    Setting("port", "--port", "CHATCORE_PORT", port, 7860,
            "The TCP port of the server; 0 takes a free one.", _SERVE),
    Setting("insecure", "--insecure", "CHATCORE_INSECURE", flag, False,
            "Listen on other addresses although there is no login: whoever reaches them reads everything.",
            _SERVE),
    Setting("names", "--name", "CHATCORE_NAMES", names, (),
            "Further names by which browsers may ask for the server, such as that of a reverse proxy.",
            _SERVE),
    Setting("frontends", "--frontend", "CHATCORE_FRONTENDS", names, ("gradio_web",),
            "Which frontends the server has, by entry-point name; `http_api` is always there.", _SERVE),
    Setting("responder", "--responder", "CHATCORE_RESPONDER", text, None,
            "What answers: an entry-point name, `module:function` or `file.py:function`. Without it "
            "`openai_compatible` when a key or a base URL is set, else `local`.", _ASKING),
    Setting("model", "--model", "CHATCORE_MODEL", text, None,
            "The model: its name at the base URL, or the path of a `.gguf` file for `local`.", _ASKING),
    Setting("base_url", "--base-url", "CHATCORE_BASE_URL", text, None,
            "Where an OpenAI-compatible server answers, such as `http://127.0.0.1:11434/v1`.", _ASKING,
            fallback="OPENAI_BASE_URL"),
    Setting("api_key", "--api-key", "CHATCORE_API_KEY", secret, None,
            "The key for it. A flag can be seen by other users of the machine: rather use the variable.",
            _ASKING, fallback="OPENAI_API_KEY", fallback_unless="base_url"),
    Setting("context_tokens", "--context-tokens", "CHATCORE_CONTEXT_TOKENS", count, None,
            "How many tokens question, history and answer may have, where the server does not say (Ollama).",
            _ASKING),
    Setting("no_titles", "--no-titles", "CHATCORE_NO_TITLES", flag, False,
            "Do not ask the model for titles, which costs a short request for each conversation: take the "
            "first words.", _ASKING),
    Setting("log_level", "--log-level", "CHATCORE_LOG_LEVEL",
            choice("debug", "info", "warning", "error"), "warning",
            "What is logged to standard error; `--verbose` is short for `info`."),
    Setting("limits.text_chars", "--limit-text-chars", "CHATCORE_LIMIT_TEXT_CHARS", count,
            _LIMITS.text_chars, "Characters of a question, a posted message or a system prompt.", _ASKING),
    Setting("limits.answer_chars", "--limit-answer-chars", "CHATCORE_LIMIT_ANSWER_CHARS", count,
            _LIMITS.answer_chars, "Characters of an answer, after which it is cut off.", _ASKING),
    Setting("limits.title_chars", "--limit-title-chars", "CHATCORE_LIMIT_TITLE_CHARS", count,
            _LIMITS.title_chars, "Characters of a title.", _ASKING),
    Setting("limits.parameters_bytes", "--limit-parameters-bytes", "CHATCORE_LIMIT_PARAMETERS_BYTES", count,
            _LIMITS.parameters_bytes, "Size of a conversation's parameters as JSON.", _ASKING),
    Setting("limits.comment_chars", "--limit-comment-chars", "CHATCORE_LIMIT_COMMENT_CHARS", count,
            _LIMITS.comment_chars, "Characters of a comment on a vote.", _ASKING),
    Setting("limits.files_per_message", "--limit-files-per-message", "CHATCORE_LIMIT_FILES_PER_MESSAGE",
            count, _LIMITS.files_per_message, "Files of one message.", _ASKING),
    Setting("limits.file_bytes", "--limit-file-bytes", "CHATCORE_LIMIT_FILE_BYTES", count,
            _LIMITS.file_bytes, "Size of one file.", _ASKING),
    Setting("limits.media_types", "--limit-media-type", "CHATCORE_LIMIT_MEDIA_TYPES", media_types,
            _LIMITS.media_types, "Kinds of files that may be sent, told by their content: `image/*`, "
            "`application/pdf`, …; by default all, with an empty list none.", _ASKING),
    Setting("limits.open_runs_per_user", "--limit-open-runs-per-user", "CHATCORE_LIMIT_OPEN_RUNS_PER_USER",
            count, _LIMITS.open_runs_per_user, "Answers of one user that are queued or running.", _ASKING),
    Setting("limits.silence_seconds", "--limit-silence-seconds", "CHATCORE_LIMIT_SILENCE_SECONDS", seconds,
            _LIMITS.silence_seconds, "How long a responder may say nothing before its answer is ended.",
            _ASKING),
    Setting("limits.page_messages", "--limit-page-messages", "CHATCORE_LIMIT_PAGE_MESSAGES", count,
            _LIMITS.page_messages, "Messages or list entries of one page.", _ASKING),
)
# fmt: on


class CommandSettings(Struct, frozen=True, kw_only=True):
    """The values; what each means stands in `SETTINGS`."""

    data: Path
    host: str
    port: int
    insecure: bool
    names: tuple[str, ...]
    frontends: tuple[str, ...]
    responder: str | None
    model: str | None
    base_url: str | None
    api_key: str | None
    context_tokens: int | None
    no_titles: bool
    log_level: str
    limits: Limits


def config_path(flag: str | None, env: Mapping[str, str]) -> tuple[Path, bool]:
    """The settings file, and whether somebody named it (then it must be there)."""
    named = flag or env.get("CHATCORE_CONFIG")
    if named:
        return Path(named).expanduser(), True
    return Path(platformdirs.user_config_dir("chatcore", appauthor=False)) / "config.toml", False


def read_settings(
    flags: Mapping[str, Value], env: Mapping[str, str], config: str | None = None
) -> CommandSettings:
    """All settings, each from the first place that has it.

    Args:
        flags: By the setting's name; None where the flag was not given.
        env: The environment.
        config: The `--config` flag.

    Raises:
        SettingsError: A value can't be used, a key of the file is unknown, or the file can't be read.
    """
    path, named = config_path(config, env)
    in_file = dict(_entries(_read_file(path, must_exist=named), path))
    values = {
        setting.name: _value(setting, list(_places(setting, flags, env, in_file, path)))
        for setting in SETTINGS
    }
    limits = {
        name.removeprefix("limits."): value for name, value in values.items() if name.startswith("limits.")
    }
    plain = {name: value for name, value in values.items() if not name.startswith("limits.")}
    # what it is made of has been read by its kind: only the path is still text
    return msgspec.convert(
        {**plain, "limits": limits}, CommandSettings, dec_hook=lambda kind, given: kind(given)
    )


def _places(
    setting: Setting,
    flags: Mapping[str, Value],
    env: Mapping[str, str],
    in_file: Mapping[str, Value],
    path: Path,
) -> Iterator[tuple[str, Value]]:
    """Where the setting may stand and what stands there, the first to be asked first."""
    yield setting.flag, flags.get(setting.name)
    yield setting.env, env.get(setting.env) or None
    yield f"{setting.name} in {path}", in_file.get(setting.name)
    bound_to = setting.fallback_unless
    given = bound_to and any(
        other.name == bound_to and (flags.get(bound_to) or env.get(other.env) or in_file.get(bound_to))
        for other in SETTINGS
    )
    if setting.fallback is not None and not given:
        yield setting.fallback, env.get(setting.fallback) or None


def _value(setting: Setting, places: list[tuple[str, Value]]) -> Value:
    for place, given in places:
        if given is not None:
            try:
                return setting.kind.read(given)
            except ValueError:
                shown = "" if setting.kind.is_secret else f", not {given!r}"
                raise SettingsError(f"{place} must be {setting.kind.meaning}{shown}.") from None
    return setting.default


def _read_file(path: Path, *, must_exist: bool) -> Mapping[str, object]:
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        if must_exist:
            raise SettingsError(f"There is no settings file {path}.") from None
        return {}
    except OSError as error:
        if not must_exist and isinstance(error, NotADirectoryError):
            return {}
        raise SettingsError(f"The settings file {path} can't be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise SettingsError(f"The settings file {path} is not UTF-8.") from error
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"The settings file {path} is not TOML: {error}.") from error


def _entries(table: Mapping[str, object], path: Path, prefix: str = "") -> Iterator[tuple[str, Value]]:
    """The file's entries by setting name.

    Raises:
        SettingsError: There is no setting of that name.
    """
    known = [setting.name for setting in SETTINGS]
    for key, value in table.items():
        name = prefix + key
        if any(each.startswith(f"{name}.") for each in known):
            if not isinstance(value, dict):
                raise SettingsError(f"{name} in {path} must be a table, not {value!r}.")
            yield from _entries(value, path, f"{name}.")
        elif name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            hint = f"; did you mean {near[0]!r}?" if near else "."
            raise SettingsError(f"The settings file {path} has an unknown key {name!r}{hint}")
        elif isinstance(value, list):
            yield name, tuple(value)
        elif isinstance(value, str | int | float | bool):
            yield name, value
        else:
            raise SettingsError(f"{name} in {path} can't be {value!r}.")
