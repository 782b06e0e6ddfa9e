"""How far a long work is, in one row of the terminal: a bar, the rate, and the time that is left."""

from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, Task, TextColumn, TimeRemainingColumn
from rich.text import Text

__all__ = ["ProgressRow"]


class _Rate(ProgressColumn):
    """Messages per second."""

    def render(self, task: Task) -> Text:
        elapsed = task.elapsed or 0.0
        messages: int = task.fields["messages"]
        rate = f"{messages / elapsed:,.0f}/s" if elapsed > 0 else ""
        return Text(rate, style="progress.data.speed")


class ProgressRow:
    """The row, on standard error, while the block lasts; gone when it ends."""

    def __init__(self, what: str) -> None:
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.fields[messages]:,} messages"),
            _Rate(),
            TimeRemainingColumn(),
            console=Console(stderr=True),
            transient=True,
        )
        self._task = self._progress.add_task(what, total=None, messages=0)

    def __enter__(self) -> "ProgressRow":
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()

    def show(self, done: int, total: int | None, messages: int) -> None:
        """So much of `total` (None: nobody knows) is done."""
        self._progress.update(self._task, completed=done, total=total, messages=messages)
