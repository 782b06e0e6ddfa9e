"""The options of `Chat.launch`: those of Gradio's own that mean something here, and why the others do not."""

from collections.abc import Mapping, Sequence

from chatcore.errors import InvalidInput
from frontends.gradio_web.mounting import PageOptions

__all__ = ["LaunchOptions", "check_launch", "check_page"]


class LaunchOptions(PageOptions, total=False):
    """Where the chat is served, and how it looks.

    Attributes:
        server_name: Name or address to bind; None: what ``GRADIO_SERVER_NAME`` says, else ``127.0.0.1``.
        server_port: None: what ``GRADIO_SERVER_PORT`` says, else the first free one from 7860 on; 0: any.
        inbrowser: Whether a browser is opened.
        quiet: Whether nothing is printed.
        prevent_thread_lock: Whether the call returns while the server runs, in a thread of its own.
        names: Further names by which the server may be asked, such as that of a reverse proxy.
        insecure: Whether others than this machine may ask, though nobody has to log in.
    """

    server_name: str | None
    server_port: int | None
    inbrowser: bool
    quiet: bool
    prevent_thread_lock: bool
    names: Sequence[str]
    insecure: bool


_PLACE = "the chat keeps its conversations on this machine"
_LOGIN = (
    "it would guard Gradio's own routes only, not those of the chat; "
    "use gradio_web.mount with an app of yours, which knows its users, and user_of"
)
_TLS = "put a reverse proxy in front, and name it with names=[…]"

UNSUPPORTED: Mapping[str, str] = {
    "share": f"nothing leaves this machine; {_PLACE}",
    "share_server_address": _PLACE,
    "share_server_protocol": _PLACE,
    "share_server_tls_certificate": _PLACE,
    "auth": _LOGIN,
    "auth_message": _LOGIN,
    "auth_dependency": _LOGIN,
    "ssl_keyfile": _TLS,
    "ssl_certfile": _TLS,
    "ssl_keyfile_password": _TLS,
    "root_path": "the page finds its way by relative addresses; none is needed",
    "app_kwargs": "use gradio_web.mount with an app of yours",
    "ssr_mode": "the page is drawn by the browser",
    "node_server_name": "the page is drawn by the browser",
    "node_port": "the page is drawn by the browser",
    "mcp_server": "there is none",
    "run_history": "it would keep what is said in the browser's storage, unencrypted",
    "enable_monitoring": "it would show to everybody what others ask",
    "num_workers": "one process owns the data",
    "inline": "the page refuses to be part of another one",
    "pwa": "the page needs its server",
}
"""Options of Gradio's that can't be had, and why. (Given as None or False they ask for nothing.)"""

UNNEEDED = frozenset(
    {"debug", "height", "max_threads", "ssl_verify", "state_session_capacity", "strict_cors", "width"}
)
"""Options of Gradio's without a meaning here: they are let pass."""


def check_page(options: Mapping[str, object]) -> None:
    """Passes when all of them are options of `gradio_web.mount`.

    Raises:
        InvalidInput: One is not.
    """
    _check(options, PageOptions.__annotations__, "mount")


def check_launch(options: Mapping[str, object]) -> None:
    """Likewise, of `Chat.launch`."""
    _check(options, LaunchOptions.__annotations__, "launch")


def _check(options: Mapping[str, object], known: Mapping[str, object], call: str) -> None:
    for name, value in options.items():
        if name in known or name in UNNEEDED or (name in UNSUPPORTED and value in (None, False)):
            continue
        if name in UNSUPPORTED:
            raise InvalidInput(f"{call}({name}=…) can't be had here: {UNSUPPORTED[name]}.")
        raise InvalidInput(f"{call} has no option “{name}”; it has: {', '.join(sorted(known))}.")
