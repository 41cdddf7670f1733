"""Batch jobs at the provider: submitted once, found again after a kill, waited for, and brought home into the ledger."""

from __future__ import annotations

import asyncio
import os
import random
import uuid
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, TextIO, TypeVar

from tinygsm_kit.convert.asking import Service
from tinygsm_kit.convert.assembly import ConvertError
from tinygsm_kit.convert.batch_book import JobBook, OpenJob
from tinygsm_kit.convert.failures import classify
from tinygsm_kit.convert.ledger import Answer
from tinygsm_kit.convert.money import cost
from tinygsm_kit.convert.session import Session
from tinygsm_kit.errors import KitError
from tinygsm_kit.interfaces import BatchJob
from tinygsm_kit.progress import Task

SUBMIT_TRIES = 6
COLLECT_ROWS = 500
CLOCKS_DIFFER = 3600
"""Seconds by which the provider's clock may be behind ours, generously."""
UNKNOWN = "?"
T = TypeVar("T")


@dataclass
class Spool:
    """Requests for one service that wait to be cut into jobs."""

    service: Service
    label: str
    path: Path
    file: TextIO
    size: int = 0
    worst: float = 0.0
    keys: list[bytes] = field(default_factory=list)


class Jobs:
    """Submits, finds again, waits for and collects the jobs of one run."""

    def __init__(self, shared: Session, book: JobBook, folder: Path, task: Task) -> None:
        self.shared, self.book, self.folder, self.task = shared, book, folder, task
        self.by_name = {service.name: service for service in shared.services.values()}

    @contextmanager
    def money_set_aside(self) -> Iterator[None]:
        """While this runs, the budget holds what open jobs may cost; afterwards the ledger alone remembers it."""
        budget = self.shared.account.budget
        budget.reserved += sum(job.worst for job in self.book.open_jobs())
        try:
            yield
        finally:
            budget.reserved = 0.0

    def new_spool(self, service: Service) -> Spool:
        """An empty file for the next job."""
        self.folder.mkdir(parents=True, exist_ok=True)
        label = uuid.uuid4().hex
        path = self.folder / f"{label}.jsonl"
        return Spool(service, label, path, path.open("w", encoding="utf-8"))

    async def submit(self, spool: Spool) -> None:
        """Write the job down, submit it, write the provider's id down."""
        spool.file.flush()
        os.fsync(spool.file.fileno())
        spool.file.close()
        self.book.begin(spool.label, spool.service.name, spool.keys, spool.worst)
        (job,) = (job for job in self.book.open_jobs() if job.label == spool.label)
        await self._submit(job, look_first=False)
        self._note()

    async def find_lost(self) -> None:
        """Jobs whose id a kill took: the provider has them, or they were never submitted."""
        for job in self.book.open_jobs():
            if job.remote is None:
                await self._submit(job, look_first=True)

    async def _submit(self, job: OpenJob, look_first: bool) -> None:
        """Submit a job, or find it where it may have been submitted. One that may be it and is not told yet stays open."""
        batch, path = batch_of(self._service(job)), self.folder / f"{job.label}.jsonl"

        async def once(again: bool) -> str | None:
            found = await self._found(job) if look_first or again else None
            if found is None and path.exists():
                return str(await batch.submit(path, job.label))
            return found

        remote = await _tried(once)
        if remote is None:  # killed between writing the job down and its file, or the folder was cleaned
            self.book.close(job.label, "its file is gone", counts=False)
        elif remote != UNKNOWN:
            self.book.submitted(job.label, remote)

    async def _found(self, job: OpenJob) -> str | None:
        """The provider's id of a job that we lost; UNKNOWN while one runs that may be it; None where there is none."""
        perhaps = False
        async for theirs in batch_of(self._service(job)).jobs():
            if theirs.created and theirs.created < job.created - CLOCKS_DIFFER:
                break
            if theirs.label == job.label or (theirs.holds and self._ours(job, theirs.holds)):
                return str(theirs.id)
            perhaps |= not theirs.label and not theirs.holds and theirs.state == "running" and theirs.requests == job.requests
        return UNKNOWN if perhaps else None

    def _ours(self, job: OpenJob, custom_id: str) -> bool:
        try:
            return self.book.holds(job.label, custom_id)
        except ValueError:  # no name of ours
            return False

    async def wait(self, seconds: float) -> None:
        """Until no job is open."""
        while self.book.open_jobs():
            await self.find_lost()
            await self.collect()
            self._note()
            if self.book.open_jobs():
                await asyncio.sleep(seconds)

    async def collect(self) -> None:
        """Bring home what is ready."""
        for job in self.book.open_jobs():
            if job.remote is None:
                continue
            state = await _tried(partial(self._state, job))
            if state.state == "ended":
                await _tried(partial(self._bring_home, job))
                self._close(job, "expired")
            elif state.state == "failed":
                full = "token_limit" in state.detail  # too much enqueued: no fault of these requests
                self._close(job, state.detail or "the job failed", counts=not full)

    async def _state(self, job: OpenJob, again: bool) -> BatchJob:  # noqa: ARG002
        state: BatchJob = await batch_of(self._service(job)).job(job.remote)
        return state

    async def _bring_home(self, job: OpenJob, again: bool) -> None:  # noqa: ARG002
        service = self._service(job)
        answers: list[Answer] = []
        async for result in batch_of(service).results(job.remote):
            key = bytes.fromhex(result.custom_id)
            if result.reply is None:
                self.book.failed(job.label, key, result.failure, result.again)
                continue
            dollars = cost(service.price, result.reply.usage, batch=True)
            answers.append(Answer(key, service.name, service.model, self.book.run, result.reply, dollars))
            if len(answers) >= COLLECT_ROWS:
                self._keep(job, answers)
        self._keep(job, answers)

    def _keep(self, job: OpenJob, answers: list[Answer]) -> None:
        self.shared.account.budget.settle(0.0, self.book.answered(job.label, answers))
        answers.clear()

    def _close(self, job: OpenJob, failure: str, counts: bool = True) -> None:
        self.book.close(job.label, failure, counts)
        self.shared.account.budget.settle(job.worst, 0.0)
        (self.folder / f"{job.label}.jsonl").unlink(missing_ok=True)

    def _service(self, job: OpenJob) -> Service:
        service = self.by_name.get(job.converter)
        if service is None:
            raise ConvertError(f"batch job {job.label} belongs to converter {job.converter!r}, which this recipe does not use")
        return service

    def _note(self) -> None:
        waiting = self.book.open_jobs()
        budget = self.shared.account.budget
        self.task.note(jobs=len(waiting), requests=sum(job.requests for job in waiting),
                       spent=f"${budget.spent:.4f}", at_most=f"${budget.spent + budget.reserved:.2f}")  # fmt: skip


def batch_of(service: Service) -> Any:
    """The converter's batch service. Raises ConvertError where it has none."""
    batch = getattr(service.converter, "batch", None)
    if batch is None:
        raise ConvertError(f"converter {service.name!r} offers no batch jobs: take mode: online")
    return batch


async def _tried(once: Callable[[bool], Awaitable[T]]) -> T:
    """Try a call to the provider a few times. `once` is told whether it was tried before."""
    for tries in range(SUBMIT_TRIES):
        try:
            return await once(tries > 0)
        except KitError:
            raise
        except Exception as error:
            failure = classify(error)
            if failure.kind in ("stop", "row") or tries == SUBMIT_TRIES - 1:
                raise ConvertError(f"the provider's batch service: {failure.detail}. Run again to go on") from None
            await asyncio.sleep(failure.retry_after or 2.0**tries * random.uniform(0.25, 0.5))
    raise AssertionError("the last try returns or raises")
