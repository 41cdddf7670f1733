"""Progress on long work: a live panel on a terminal, plain lines elsewhere, silence where nobody asked."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from typing import Any, Protocol


class Task(Protocol):
    """One piece of long work under way."""

    def advance(self, rows: int = 1) -> None:
        """So many more rows are done."""

    def note(self, **figures: object) -> None:
        """Figures worth seeing beside the bar, such as `rejected=3` or `dollars="1.20"`."""


class Progress(Protocol):
    """Where long work tells how far it is."""

    def task(self, name: str, total: int | None) -> AbstractContextManager[Task]:
        """`with progress.task("convert", 1000) as task: task.advance()`; `total` None where it is unknown."""


class Silent:
    """Says nothing: for tests and for libraries that call the kit."""

    @contextmanager
    def task(self, name: str, total: int | None) -> Iterator[Task]:  # noqa: ARG002
        """A task that nobody watches."""
        yield _Nothing()


class _Nothing:
    def advance(self, rows: int = 1) -> None:
        pass

    def note(self, **figures: object) -> None:
        pass


class Lines:
    """A plain line now and then, for logs and pipes."""

    def __init__(self, every: float = 10.0) -> None:
        self.every = every

    @contextmanager
    def task(self, name: str, total: int | None) -> Iterator[Task]:
        """A task that prints to standard error at most once in `every` seconds, and once at its end."""
        task = _LineTask(name, total, self.every)
        yield task
        task.say()


class _LineTask:
    def __init__(self, name: str, total: int | None, every: float) -> None:
        self.name, self.total, self.every = name, total, every
        self.done, self.figures = 0, dict[str, object]()
        self.started = self.said = time.monotonic()

    def advance(self, rows: int = 1) -> None:
        self.done += rows
        if time.monotonic() - self.said >= self.every:
            self.say()

    def note(self, **figures: object) -> None:
        self.figures.update(figures)

    def say(self) -> None:
        self.said = time.monotonic()
        seconds = max(self.said - self.started, 1e-9)
        of = f"/{self.total:,}" if self.total else ""
        figures = f", {_shown(self.figures, ', ')}" if self.figures else ""
        rate = f"{self.done / seconds:,.1f}/s"
        print(f"{self.name}: {self.done:,}{of} in {seconds:.0f} s ({rate}){figures}", file=sys.stderr, flush=True)


class Bars:
    """Live bars by rich, with rate and time left."""

    @contextmanager
    def task(self, name: str, total: int | None) -> Iterator[Task]:
        """One bar, which stays on the screen when it is done."""
        from rich.console import Console
        from rich.padding import Padding
        from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
        from rich.progress import Progress as RichProgress
        from rich.text import Text

        class Panel(RichProgress):
            """The bar, and below it the figures, which would not fit beside it in 80 columns."""

            def get_renderables(self) -> Iterator[Any]:
                yield from super().get_renderables()
                for task in self.tasks:
                    if task.fields["figures"]:
                        yield Padding(Text(task.fields["figures"], style="dim"), (0, 0, 0, 2))

        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[rate]}"),
                   TimeElapsedColumn(), TimeRemainingColumn())  # fmt: skip
        with Panel(*columns, console=Console(stderr=True)) as bars:
            yield _BarTask(bars, bars.add_task(name, total=total, figures="", rate=""))


class _BarTask:
    def __init__(self, bars: object, identifier: int) -> None:
        self.bars, self.identifier, self.figures = bars, identifier, dict[str, object]()
        self.done, self.started = 0, time.monotonic()

    def advance(self, rows: int = 1) -> None:
        self.done += rows
        rate = self.done / max(time.monotonic() - self.started, 1e-9)
        self.bars.update(self.identifier, advance=rows, rate=f"{rate:,.1f}/s")  # type: ignore[attr-defined]

    def note(self, **figures: object) -> None:
        self.figures.update(figures)
        self.bars.update(self.identifier, figures=_shown(self.figures, " · "))  # type: ignore[attr-defined]


def _shown(figures: Mapping[str, object], between: str) -> str:
    return between.join(f"{name.replace('_', ' ')} {value}" for name, value in figures.items())


def for_terminal() -> Progress:
    """Bars where a person looks on, lines elsewhere."""
    return Bars() if sys.stderr.isatty() else Lines()
