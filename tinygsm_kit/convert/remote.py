"""The host of remote converters: a bounded window of rows on their way to a service, never a task for every row.

A feeder reads the sample and looks whole chunks up in the ledger; a fixed set of workers takes rows from its queue; parts are
assembled in the order of the sample and written when their last row arrives, so one slow request holds up its part alone.
"""

from __future__ import annotations

import asyncio
import signal
import threading
import time
import uuid
from collections import Counter
from collections.abc import AsyncIterator, Callable, Coroutine, Generator, Iterator, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from tinygsm_kit.convert.account import Account
from tinygsm_kit.convert.asking import STOPPED, Asker, Figures, Service, StoppedError
from tinygsm_kit.convert.assembly import ConvertError, Outcome, Part, Parts
from tinygsm_kit.convert.chain import Chain
from tinygsm_kit.convert.executors import LocalExecutor, executor
from tinygsm_kit.convert.ledger import Ledger, ledger_path
from tinygsm_kit.convert.ledger_thread import LedgerThread
from tinygsm_kit.convert.options import HostOptions
from tinygsm_kit.convert.rows import Row, RowConverter, prepare_chunk
from tinygsm_kit.progress import Task
from tinygsm_kit.records import Problem, Rejection
from tinygsm_kit.workers import in_chunks

OPEN_PARTS = 4
"""Parts under way at most: how far the fast rows may run ahead of one slow request."""
LOOKUP_ROWS = 128
"""Rows looked up in the ledger at a time."""
NOTE_SECONDS = 0.25
T = TypeVar("T")


@dataclass
class Session:
    """All that one remote conversion shares: services, ledger, account, figures."""

    chain: Chain
    host: HostOptions
    services: dict[int, Service]
    ledger: LedgerThread
    account: Account
    figures: Figures
    asker: Asker

    def rows(self) -> RowConverter:
        """Rows that get their answers from the services."""
        return RowConverter(self.chain, self.services, self.asker.ask, self.host.repair, self.figures)


@asynccontextmanager
async def session(chain: Chain, host: HostOptions, run: str, label: str) -> AsyncIterator[Session]:
    """Open the ledger and the run's account; settle and close them at the end, whatever happened."""
    converters = chain.converters()
    services = {
        index: Service(link, converter, host)
        for index, (link, converter) in enumerate(zip(chain.links, converters, strict=True))
        if link.remote
    }
    ledger = LedgerThread(ledger_path())
    try:
        ledger.ledger.begin_run(run, label)
        account, figures = Account(ledger, run, host.budget_usd), Figures()
        try:
            yield Session(chain, host, services, ledger, account, figures, Asker(account, host, figures))
        finally:
            await account.close()
            for service in services.values():
                await service.close()
    finally:
        ledger.close()


def convert_remotely(chain: Chain, parts: Parts, host: HostOptions, workers: int, task: Task) -> dict[str, Any]:
    """Convert the parts that are to do. Returns what the run asked, used and spent, for the manifest."""
    run = run_id(parts.folder)
    if host.mode == "batch":
        from tinygsm_kit.convert.batch import convert_by_jobs

        run_async(lambda: convert_by_jobs(chain, parts, host, run, task))
    elif parts.to_do:
        run_async(lambda: _convert_online(chain, parts, host, workers, run, task))
    return spending(run)


async def _convert_online(chain: Chain, parts: Parts, host: HostOptions, workers: int, run: str, task: Task) -> None:
    async with session(chain, host, run, str(parts.folder)) as shared:
        _refuse_open_jobs(shared.ledger.ledger, run)
        assembly = Assembly(parts, shared, task)
        stream = Stream(shared, workers)
        with interruptible(shared.asker):
            await stream.run(parts.to_do, assembly.begin, assembly.put)
        assembly.note()


class Assembly:
    """Puts outcomes back into the sample's order, and writes each part when it is whole."""

    def __init__(self, parts: Parts, shared: Session, task: Task) -> None:
        self.parts, self.shared, self.task = parts, shared, task
        self.open: dict[int, list[Outcome | None]] = {}
        self.left: Counter[int] = Counter()
        self.by_index = {part.index: part for part in parts.to_do}
        self.rejected = sum(parts.counts.rejected.values())
        self._room = asyncio.Condition()
        self._writing = asyncio.Lock()
        self._noted = 0.0

    async def begin(self, part: Part) -> None:
        """Make place for a part's rows; waits while too many parts are under way."""
        async with self._room:
            await self._room.wait_for(lambda: len(self.open) < OPEN_PARTS)
            self.open[part.index] = [None] * part.rows
            self.left[part.index] = part.rows
        if part.rows == 0:
            await self._write(part.index)

    async def put(self, row: Row, outcome: Outcome) -> None:
        """One row is done."""
        self.open[row.part][row.position] = outcome
        self.left[row.part] -= 1
        self.shared.figures.rows += 1
        if isinstance(outcome, Rejection):
            self.rejected += 1
        self.task.advance()
        if time.monotonic() - self._noted > NOTE_SECONDS:
            self.note()
        if self.left[row.part] == 0:
            await self._write(row.part)

    async def _write(self, index: int) -> None:
        outcomes = [outcome for outcome in self.open[index] if outcome is not None]
        async with self._writing:
            await asyncio.to_thread(self.parts.write, self.by_index[index], outcomes)
        async with self._room:
            del self.open[index], self.left[index]
            self._room.notify_all()

    def note(self) -> None:
        """Show the figures."""
        self._noted = time.monotonic()
        figures, budget = self.shared.figures, self.shared.account.budget
        left = self.parts.rows - self.parts.counts.rows_in - sum(len(rows) - self.left[i] for i, rows in self.open.items())
        to_come = budget.spent / figures.rows * left if figures.rows else 0.0
        self.task.note(
            rejected=self.rejected,
            repaired=figures.repaired,
            in_flight=sum(service.limit.in_flight for service in self.shared.services.values()),
            tokens=f"{figures.tokens:,}",
            spent=f"${budget.spent:.4f}",
            to_come=f"${to_come:.2f}",
        )


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


def _refuse_open_jobs(ledger: Ledger, run: str) -> None:
    (jobs,) = ledger.database.execute("SELECT count(*) FROM jobs WHERE run = ? AND state = 'open'", (run,)).fetchone()
    if jobs:
        raise ConvertError(f"{jobs} batch jobs of this run are not collected yet: take mode: batch, so that none is paid twice")


def _failed(problem: Problem, reason: str) -> Row:
    return Row(problem, Rejection(problem.id, "convert", f"worker_{reason}", "the worker process did not survive this row"))


def _first(errors: BaseExceptionGroup[BaseException]) -> BaseException:
    """The error that tells most: ours before others, and an interruption last."""
    flat: list[BaseException] = []
    for error in errors.exceptions:
        flat.append(_first(error) if isinstance(error, BaseExceptionGroup) else error)
    flat.sort(key=lambda error: (not isinstance(error, ConvertError), isinstance(error, StoppedError)))
    return flat[0]


@contextmanager
def interruptible(asker: Asker) -> Iterator[None]:
    """Ctrl-C lets the requests in flight finish, so that none is paid for in vain; a second one does not wait."""
    loop, task = asyncio.get_running_loop(), asyncio.current_task()

    def interrupted() -> None:
        if asker.stopping.is_set() and task is not None:
            task.cancel()
        asker.stopping.set()

    main = threading.current_thread() is threading.main_thread()
    if main:
        with suppress(NotImplementedError):  # on Windows
            loop.add_signal_handler(signal.SIGINT, interrupted)
    try:
        yield
    except (StoppedError, asyncio.CancelledError):
        if asker.stopping.is_set():
            raise KeyboardInterrupt from None
        raise
    finally:
        if main:
            with suppress(NotImplementedError):
                loop.remove_signal_handler(signal.SIGINT)


def run_async(main: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """Run a coroutine to its end, also where the caller has an event loop already, as in a notebook."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(main())
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(lambda: asyncio.run(main())).result()


def run_id(folder: Path) -> str:
    """The name of this folder's account in the ledger: random, and kept in the folder, so that a moved run stays one run."""
    path = folder / ".run"
    if not path.exists():
        temporary = path.with_suffix(".tmp")
        temporary.write_text(uuid.uuid4().hex, encoding="utf-8")
        temporary.replace(path)
    return path.read_text(encoding="utf-8").strip()


def spending(run: str) -> dict[str, Any]:
    """What a run asked, used and spent in all its sessions."""
    ledger = Ledger(ledger_path())
    try:
        spent = ledger.spent(run)
    finally:
        ledger.close()
    return {
        "requests": sum(spend.requests for spend in spent),
        "input_tokens": sum(spend.usage.input for spend in spent if spend.kind != "lost"),
        "output_tokens": sum(spend.usage.output for spend in spent if spend.kind != "lost"),
        "usd": round(sum(spend.usd for spend in spent), 6),
        "usd_unanswered": round(sum(spend.usd for spend in spent if spend.kind == "lost"), 6),
        "models": [{**asdict(spend), "run": run} for spend in spent],
    }
