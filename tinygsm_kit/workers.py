"""Work in chunks over supervised worker processes: in order, in bounded memory, and no bad row takes others with it."""

from __future__ import annotations

import multiprocessing
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures.process import BrokenProcessPool
from itertools import islice
from typing import TYPE_CHECKING, Generic, TypeVar

from tinygsm_kit.errors import KitError

if TYPE_CHECKING:
    from pebble import ProcessFuture, ProcessPool

T = TypeVar("T")
R = TypeVar("R")
R2 = TypeVar("R2")

CHUNKS_AHEAD = 3
"""Chunks under way for each worker: enough that none waits, few enough that memory stays flat."""
RESTARTS = 3
"""How often a pool whose workers all died is built anew before it is given up."""
START_SECONDS = 120.0
"""What a worker may take to start on a busy machine: it imports what the function needs."""


class WorkersError(KitError):
    """Worker processes cannot be kept alive. The message says what to look at."""


def in_chunks(rows: Iterable[T], size: int) -> Iterator[list[T]]:
    """Lists of `size` rows, the last one shorter."""
    rest = iter(rows)
    while chunk := list(islice(rest, size)):
        yield chunk


def map_chunks(
    function: Callable[[Sequence[T]], list[R]],
    chunks: Iterable[Sequence[T]],
    workers: int,
    timeout: float,
    fallback: Callable[[T, str], R],
) -> Iterator[list[R]]:
    """`function` of each chunk, in order. `function` is a module-level function (or a `partial` of one), one result a row.

    A chunk that takes more than `timeout` seconds, or whose worker dies, is tried again row by row, each for at most a
    tenth of that (one second at least); a row that fails again gets `fallback(row, "timeout")` or
    `fallback(row, "crashed")`, called here, and the others keep their results. An exception in `function` is raised here.
    One worker means this process, without supervision. Raises WorkersError when the workers die again and again.
    """
    if workers <= 1:
        yield from map(function, chunks)
        return
    pool = _Pool(function, workers, timeout, fallback)
    try:
        for chunk in chunks:
            pool.submit(chunk)
            if len(pool.pending) >= CHUNKS_AHEAD * workers:
                yield pool.next_result()
        while pool.pending:
            yield pool.next_result()
    finally:
        pool.stop()


class _Pool(Generic[T, R]):
    """A pebble pool, the chunks under way in it, and what is done when something dies."""

    def __init__(
        self, function: Callable[[Sequence[T]], list[R]], workers: int, timeout: float, fallback: Callable[[T, str], R]
    ) -> None:
        self.function, self.workers, self.timeout, self.fallback = function, workers, timeout, fallback
        self.pending: deque[tuple[Sequence[T], ProcessFuture[list[R]]]] = deque()
        self.restarts = 0
        self.processes = self._start()

    def _start(self) -> ProcessPool:
        from pebble import ProcessPool

        # Spawned, not forked: a forked copy of a process that has threads (pyarrow's, monty's) can stall for ever.
        return ProcessPool(self.workers, context=multiprocessing.get_context("spawn"))

    def submit(self, chunk: Sequence[T]) -> None:
        self.pending.append((chunk, self._schedule(chunk, self.timeout)))

    def _schedule(self, chunk: Sequence[T], timeout: float) -> ProcessFuture[list[R]]:
        try:
            return self.processes.schedule(self.function, args=(chunk,), timeout=timeout)
        except (BrokenProcessPool, RuntimeError):  # pebble refuses work with a RuntimeError once its pool is broken
            self._restart()
            return self.processes.schedule(self.function, args=(chunk,), timeout=timeout)

    def next_result(self) -> list[R]:
        while True:
            chunk, future = self.pending[0]
            try:
                result = self._rescued(chunk, future)
            except BrokenProcessPool:
                self._restart()
                continue
            self.pending.popleft()
            return result

    def _rescued(self, chunk: Sequence[T], future: ProcessFuture[list[R]]) -> list[R]:
        from pebble import ProcessExpired

        try:
            return self._result(future)
        except (TimeoutError, ProcessExpired):
            alone = [self._schedule([row], max(1.0, self.timeout / 10)) for row in chunk]
            return [self._one(row, future) for row, future in zip(chunk, alone, strict=True)]

    def _one(self, row: T, future: ProcessFuture[list[R]]) -> R:
        from pebble import ProcessExpired

        try:
            return self._result(future)[0]
        except TimeoutError:
            return self.fallback(row, "timeout")
        except ProcessExpired:
            return self.fallback(row, "crashed")

    def _result(self, future: ProcessFuture[R2]) -> R2:
        """The result, or BrokenProcessPool when it is long overdue: a worker killed while it read holds a lock for ever."""
        overdue = (CHUNKS_AHEAD + 2) * self.timeout + START_SECONDS
        try:
            return future.result(overdue)
        except TimeoutError:
            if future.done():
                raise
            raise BrokenProcessPool(f"no answer from any worker for {overdue:.0f} s") from None

    def _restart(self) -> None:
        """A new pool in place of one that pebble gave up, and everything under way once more."""
        self.restarts += 1
        if self.restarts > RESTARTS:
            raise WorkersError(
                f"worker processes died or hung {self.restarts} times: look for an out-of-memory kill; "
                'a script that calls this must do so under `if __name__ == "__main__":`'
            )
        self.stop()
        self.processes = self._start()
        chunks = [chunk for chunk, _ in self.pending]
        self.pending = deque(
            (chunk, self.processes.schedule(self.function, args=(chunk,), timeout=self.timeout)) for chunk in chunks
        )

    def stop(self) -> None:
        self.processes.stop()  # type: ignore[no-untyped-call]
        self.processes.join()
