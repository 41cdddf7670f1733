"""A bounded window of rows on their way to a service, never a task for every row.

A feeder reads the sample and looks whole chunks up in the ledger; a fixed set of workers takes rows from its queue. Rows end
in any order: who puts them back into the sample's is the caller.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Coroutine, Generator, Iterator, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from functools import partial
from typing import Any

from tinygsm_kit.convert.asking import STOPPED, StoppedError
from tinygsm_kit.convert.assembly import ConvertError, Outcome, Part
from tinygsm_kit.convert.executors import LocalExecutor, executor, failed_row
from tinygsm_kit.convert.rows import Row, prepare_chunk
from tinygsm_kit.convert.session import Session
from tinygsm_kit.records import Problem
from tinygsm_kit.workers import in_chunks

LOOKUP_ROWS = 128
"""Rows looked up in the ledger at a time."""

Begin = Callable[[Part], Coroutine[Any, Any, None]]
Put = Callable[[Row, Outcome], Coroutine[Any, Any, None]]


class Stream:
    """Rows through a bounded window: one feeder, a queue, a fixed set of workers."""

    def __init__(self, shared: Session, workers: int) -> None:
        self.shared, self.workers = shared, workers
        self.rows = shared.rows()
        self.window = sum(service.limit.most for service in shared.services.values())
        self.queue: asyncio.Queue[Row | None] = asyncio.Queue(self.window)
        self.expected: Counter[bytes] = Counter()

    async def run(self, parts: Sequence[Part], begin: Begin, put: Put) -> None:
        """Take all rows of the parts to their outcome. Raises the first error that must stop the run.

        When the user interrupts, no row is begun any more, and those under way are let finish: StoppedError.
        """
        # Some workers more than slots: a row waits for its answer to be on disk without holding a slot.
        crew = self.window + max(8, self.window // 4)
        reader = ThreadPoolExecutor(1, "reader")
        chunks = self._prepared(parts)
        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(crew):
                    group.create_task(self._work(put))
                await self._until_stopped(self._feed(parts, chunks, reader, begin))
                for _ in range(crew):
                    await self.queue.put(None)
        except BaseExceptionGroup as errors:
            raise _first(errors) from None
        finally:
            reader.submit(chunks.close)  # in the thread that reads, so that it is not being read
            reader.shutdown()
        if self.shared.asker.stopping.is_set():
            raise StoppedError(STOPPED)

    async def _until_stopped(self, feeding: Coroutine[Any, Any, None]) -> None:
        feeder = asyncio.create_task(feeding)
        stopped = asyncio.create_task(self.shared.asker.stopping.wait())
        try:
            await asyncio.wait({feeder, stopped}, return_when=asyncio.FIRST_COMPLETED)
            if feeder.done():
                feeder.result()
        finally:
            stopped.cancel()
            feeder.cancel()
            await asyncio.gather(feeder, stopped, return_exceptions=True)

    async def _feed(self, parts: Sequence[Part], chunks: Iterator[list[Row]], reader: Executor, begin: Begin) -> None:
        loop = asyncio.get_running_loop()
        for part in parts:
            await begin(part)
            position = 0
            while position < part.rows:
                rows = await loop.run_in_executor(reader, next, chunks)
                for offset, row in enumerate(rows):
                    row.part, row.position = part.index, position + offset
                position += len(rows)
                await self._look_up(rows)
                for row in rows:
                    await self.queue.put(row)

    def _prepared(self, parts: Sequence[Part]) -> Generator[list[Row], None, None]:
        chain, host = self.shared.chain, self.shared.host
        chunks = (chunk for part in parts for chunk in in_chunks(part.problems(), LOOKUP_ROWS))
        alone = not any(not link.remote for link in chain.links[:-1])
        runner = LocalExecutor(1, host.chunk_timeout) if alone else executor(host, self.workers)
        yield from runner.map(partial(prepare_chunk, chain), chunks, _failed)

    async def _look_up(self, rows: Sequence[Row]) -> None:
        """Form the requests and fetch what the ledger knows. Of equal requests all but the first look again when it is done."""
        asking = []
        for row in rows:
            self.rows.form(row)
            if row.request is not None:
                asking.append(row)
                row.look_first = self.expected[row.key] > 0
                self.expected[row.key] += 1
        found = await self.shared.ledger.find([row.key for row in asking])
        for row in asking:
            row.known = found.get(row.key)
            self.shared.figures.from_ledger += row.known is not None

    async def _work(self, put: Put) -> None:
        stopping = self.shared.asker.stopping
        while (row := await self.queue.get()) is not None:
            if stopping.is_set():
                continue
            try:
                outcome = await self.rows.convert(row)
            except StoppedError:
                continue
            if row.key:
                self.expected[row.key] -= 1
                if not self.expected[row.key]:
                    del self.expected[row.key]
            await put(row, outcome)


def _failed(problem: Problem, reason: str) -> Row:
    return Row(problem, failed_row(problem, reason))


def _first(errors: BaseExceptionGroup[BaseException]) -> BaseException:
    """The error that tells most: ours before others, and an interruption last."""
    flat: list[BaseException] = []
    for error in errors.exceptions:
        flat.append(_first(error) if isinstance(error, BaseExceptionGroup) else error)
    flat.sort(key=lambda error: (not isinstance(error, ConvertError), isinstance(error, StoppedError)))
    return flat[0]
