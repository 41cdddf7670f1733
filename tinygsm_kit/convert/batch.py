"""Conversion by the provider's batch jobs: half price, hours of waiting, and nothing lost whenever the process dies.

It goes in passes. A pass takes every row as far as the ledger's answers carry it, writes the parts that are whole, and spools
the requests that have no answer yet; they are submitted as jobs, the jobs are waited for, their answers go into the ledger, and
the next pass finds them there. Repairs are simply what the second pass lacks, expired requests what any later one does.
"""

from __future__ import annotations

import asyncio
import os
import random
import uuid
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, TextIO, TypeVar

from tinygsm_kit.convert.asking import RequestError, Service
from tinygsm_kit.convert.assembly import ConvertError, Outcome, Part, Parts
from tinygsm_kit.convert.batch_book import JobBook, OpenJob
from tinygsm_kit.convert.chain import Chain
from tinygsm_kit.convert.failures import Failure, classify
from tinygsm_kit.convert.ledger import Answer, Ledger, ledger_path
from tinygsm_kit.convert.money import BudgetError, cost, worst_usage
from tinygsm_kit.convert.options import HostOptions
from tinygsm_kit.convert.remote import LOOKUP_ROWS, Session, session
from tinygsm_kit.convert.rows import Row, RowConverter, prepare_chunk
from tinygsm_kit.errors import KitError, PendingError
from tinygsm_kit.interfaces import BatchJob
from tinygsm_kit.progress import Task
from tinygsm_kit.records import Reply
from tinygsm_kit.workers import in_chunks

SUBMIT_TRIES = 6
COLLECT_ROWS = 500
CLOCKS_DIFFER = 3600
"""Seconds by which the provider's clock may be behind ours, generously."""
UNKNOWN = "?"
T = TypeVar("T")


class BatchPending(ConvertError, PendingError):  # noqa: N818  (nothing failed: the work goes on elsewhere)
    """Detached: jobs are submitted and not done yet. Run the same command again to collect them."""

    def __init__(self, jobs: int, requests: int) -> None:
        super().__init__(
            f"{requests:,} requests are under way in {jobs} batch jobs: run the same command again to collect them"
        )
        self.jobs, self.requests = jobs, requests


class MissingError(Exception):
    """A row needs an answer that the ledger does not have."""


async def convert_by_jobs(chain: Chain, parts: Parts, host: HostOptions, run: str, task: Task) -> None:
    """Pass after pass until every part is written. Raises BatchPending when detached, BudgetError when the budget is out."""
    async with session(chain, host, run, str(parts.folder)) as shared:
        ledger = Ledger(ledger_path())
        try:
            jobs = Jobs(shared, JobBook(ledger, run), parts.folder / "jobs", task)
            with jobs.money_set_aside():
                await _passes(shared, parts, jobs, host, task)
        finally:
            ledger.close()


async def _passes(shared: Session, parts: Parts, jobs: Jobs, host: HostOptions, task: Task) -> None:
    to_do = list(parts.to_do)
    await jobs.find_lost()
    await jobs.collect()
    while True:
        to_do, starved = await _one_pass(shared, parts, to_do, jobs, task)
        if not to_do:
            return
        waiting = jobs.book.open_jobs()
        if not waiting:
            limit = shared.account.budget.limit
            if starved:
                raise BudgetError(
                    f"budget_usd: {limit} does not pay for the next batch job. Raise convert.budget_usd and run again"
                )
            continue  # all that was lacking failed for good: the next pass refuses those rows
        if host.detach:
            raise BatchPending(len(waiting), sum(job.requests for job in waiting))
        await jobs.wait(host.poll_seconds)


async def _one_pass(shared: Session, parts: Parts, to_do: list[Part], jobs: Jobs, task: Task) -> tuple[list[Part], bool]:
    """Write what can be written; submit what lacks. Returns the parts still to do, and whether the budget left some out."""
    asker = FromLedger(shared, jobs)
    rows = RowConverter(shared.chain, shared.services, asker.ask, shared.host.repair, shared.figures)
    left = []
    for part in to_do:
        outcomes = [outcome async for outcome in _outcomes(shared, rows, part)]
        if None in outcomes:
            left.append(part)
            continue
        await asyncio.to_thread(parts.write, part, [outcome for outcome in outcomes if outcome is not None])
        task.advance(part.rows)
    for spool in asker.spools.values():
        await jobs.submit(spool)
    return left, asker.starved


async def _outcomes(shared: Session, rows: RowConverter, part: Part) -> Any:
    """Each row's outcome, None where it lacks an answer."""
    for chunk in in_chunks(part.problems(), LOOKUP_ROWS):
        ready = await asyncio.to_thread(prepare_chunk, shared.chain, chunk)
        for row in ready:
            rows.form(row)
        found = await shared.ledger.find([row.key for row in ready if row.key])
        for row in ready:
            row.known, row.look_first = found.get(row.key), False
            yield await _outcome(rows, row)


async def _outcome(rows: RowConverter, row: Row) -> Outcome | None:
    try:
        return await rows.convert(row)
    except MissingError:
        return None


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


class FromLedger:
    """In place of asking a service: the ledger's answer, or the request goes to the spool and the row must wait."""

    def __init__(self, shared: Session, jobs: Jobs) -> None:
        self.shared, self.jobs = shared, jobs
        self.spools: dict[str, Spool] = {}
        self.spooled: set[bytes] = set()
        self.starved = False

    async def ask(self, service: Service, request: Mapping[str, Any], key: bytes, look_first: bool) -> Reply:
        """The known answer. Raises MissingError, or RequestError where the request failed too often."""
        reply = (await self.shared.ledger.find([key])).get(key) if look_first else None
        if reply is not None:
            return reply
        standing = self.jobs.book.standing([key]).get(key)
        if standing is not None and standing.given_up:
            raise RequestError(Failure("row", "batch_failed", standing.failure))
        if (standing is None or not standing.waiting) and key not in self.spooled and not self.starved:
            await self._spool(service, request, key)
        raise MissingError

    async def _spool(self, service: Service, request: Mapping[str, Any], key: bytes) -> None:
        batch = _batch_of(service)
        worst = cost(service.price, worst_usage(service.converter, request), batch=True)
        if not self.shared.account.budget.take(worst):
            self.starved = True
            return
        line = batch.line(key.hex(), request) + "\n"
        size = len(line.encode())
        most = min(batch.max_requests, self.shared.host.batch_rows or batch.max_requests)
        spool = self.spools.get(service.name)
        if spool is not None and (len(spool.keys) >= most or spool.size + size > batch.max_bytes):
            await self.jobs.submit(self.spools.pop(service.name))
            spool = None
        if spool is None:
            spool = self.spools[service.name] = self.jobs.new_spool(service)
        spool.file.write(line)
        spool.size += size
        spool.worst += worst
        spool.keys.append(key)
        self.spooled.add(key)


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
        batch, path = _batch_of(self._service(job)), self.folder / f"{job.label}.jsonl"

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
        async for theirs in _batch_of(self._service(job)).jobs():
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
        state: BatchJob = await _batch_of(self._service(job)).job(job.remote)
        return state

    async def _bring_home(self, job: OpenJob, again: bool) -> None:  # noqa: ARG002
        service = self._service(job)
        answers: list[Answer] = []
        async for result in _batch_of(service).results(job.remote):
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


def _batch_of(service: Service) -> Any:
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
