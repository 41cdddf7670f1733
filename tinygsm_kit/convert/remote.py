"""Remote conversion online: parts are assembled in the order of the sample, and written when their last row arrives.

So one slow request holds up its part alone; a few parts may be under way at a time.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from concurrent.futures import Executor, ThreadPoolExecutor
from typing import Any

from tinygsm_kit.convert.assembly import ConvertError, Outcome, Part, Parts
from tinygsm_kit.convert.chain import Chain
from tinygsm_kit.convert.ledger import Ledger
from tinygsm_kit.convert.options import HostOptions
from tinygsm_kit.convert.rows import Row
from tinygsm_kit.convert.session import Session, collected_seldom, interruptible, run_async, run_id, session, spending
from tinygsm_kit.convert.stream import Stream
from tinygsm_kit.progress import Task
from tinygsm_kit.records import Rejection

OPEN_PARTS = 4
"""Parts under way at most: how far the fast rows may run ahead of one slow request."""
NOTE_SECONDS = 0.25


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
        stream = Stream(shared, workers)
        # One thread for all parts: in a pool, every thread that ever wrote a part keeps a heap of that size.
        with ThreadPoolExecutor(1, "writer") as writer, collected_seldom(), interruptible(shared.asker):
            assembly = Assembly(parts, shared, task, writer)
            await stream.run(parts.to_do, assembly.begin, assembly.put)
            assembly.note()


def _refuse_open_jobs(ledger: Ledger, run: str) -> None:
    (jobs,) = ledger.database.execute("SELECT count(*) FROM jobs WHERE run = ? AND state = 'open'", (run,)).fetchone()
    if jobs:
        raise ConvertError(f"{jobs} batch jobs of this run are not collected yet: take mode: batch, so that none is paid twice")


class Assembly:
    """Puts outcomes back into the sample's order, and writes each part when it is whole."""

    def __init__(self, parts: Parts, shared: Session, task: Task, writer: Executor) -> None:
        self.parts, self.shared, self.task, self.writer = parts, shared, task, writer
        self.open: dict[int, list[Outcome | None]] = {}
        self.left: Counter[int] = Counter()
        self.by_index = {part.index: part for part in parts.to_do}
        self.rejected = sum(parts.counts.rejected.values())
        self._room = asyncio.Condition()
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
        await asyncio.get_running_loop().run_in_executor(self.writer, self.parts.write, self.by_index[index], outcomes)
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
