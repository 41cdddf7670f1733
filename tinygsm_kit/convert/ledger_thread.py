"""The ledger for an event loop: a thread that owns the file, and commits together what arrived while it was committing."""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from tinygsm_kit.convert.ledger import Answer, Ledger, LedgerError, Spend
from tinygsm_kit.records import Reply

Job = tuple[str, Any, "asyncio.Future[Any]"]


class LedgerThread:
    """A ledger in a thread of its own, for one event loop."""

    def __init__(self, path: Path) -> None:
        self.ledger = Ledger(path)
        self.loop = asyncio.get_running_loop()
        self.jobs: queue.SimpleQueue[Job | None] = queue.SimpleQueue()
        self.thread = threading.Thread(target=self._work, name="ledger", daemon=True)
        self.thread.start()

    async def find(self, keys: Sequence[bytes]) -> dict[bytes, Reply]:
        """The answers that are known, by key."""
        found: dict[bytes, Reply] = await self._ask("find", keys)
        return found

    async def put(self, answer: Answer) -> Reply:
        """Returns when the answer is on disk, with the answer that stands for its key."""
        stands: Reply = await self._ask("put", answer)
        return stands

    async def lose(self, spend: Spend) -> None:
        """Count a request that ended without an answer but may have been billed."""
        await self._ask("lose", spend)

    async def set_at_risk(self, run: str, dollars: float) -> None:
        """See `Ledger.set_at_risk`."""
        await self._ask("risk", (run, dollars))

    def close(self) -> None:
        """Finish what was asked and close the file."""
        self.jobs.put(None)
        self.thread.join()
        self.ledger.close()

    def _ask(self, what: str, argument: Any) -> asyncio.Future[Any]:
        future = self.loop.create_future()
        self.jobs.put((what, argument, future))
        return future

    def _work(self) -> None:
        while True:
            batch = [self.jobs.get()]
            with suppress(queue.Empty):
                while len(batch) < 1000:
                    batch.append(self.jobs.get_nowait())
            stop = None in batch
            jobs = [job for job in batch if job is not None]
            try:
                results: list[Any] = self._do(jobs)
            except Exception as error:
                results = [LedgerError(f"the ledger {self.ledger.path} cannot be written: {error}")] * len(jobs)
            with suppress(RuntimeError):  # the loop was closed while we worked
                self.loop.call_soon_threadsafe(_resolve, jobs, results)
            if stop:
                return

    def _do(self, jobs: Sequence[Job]) -> list[Any]:
        results: list[Any] = [None] * len(jobs)
        writes = [index for index, job in enumerate(jobs) if job[0] != "find"]
        if writes:
            with self.ledger.transaction():
                for index in writes:
                    results[index] = self._write(jobs[index])
        for index, (what, argument, _) in enumerate(jobs):
            if what == "find":
                results[index] = self.ledger.find(argument)
        return results

    def _write(self, job: Job) -> Any:
        what, argument, _ = job
        if what == "put":
            return self.ledger.put_within(argument, "answer")
        if what == "lose":
            return self.ledger.add_spend(argument)
        return self.ledger.set_at_risk(*argument)


def _resolve(jobs: Sequence[Job], results: Sequence[Any]) -> None:
    for (_, _, future), result in zip(jobs, results, strict=True):
        if future.done():
            continue
        if isinstance(result, LedgerError):
            future.set_exception(result)
        else:
            future.set_result(result)
