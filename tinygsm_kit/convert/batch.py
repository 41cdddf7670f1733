"""Conversion by the provider's batch jobs: half price, hours of waiting, and nothing lost whenever the process dies.

It goes in passes. A pass takes every row as far as the ledger's answers carry it, writes the parts that are whole, and spools
the requests that have no answer yet; they are submitted as jobs, the jobs are waited for, their answers go into the ledger, and
the next pass finds them there. Repairs are simply what the second pass lacks, expired requests what any later one does.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from typing import Any

from tinygsm_kit.convert.asking import RequestError, Service
from tinygsm_kit.convert.assembly import ConvertError, Outcome, Part, Parts
from tinygsm_kit.convert.batch_book import JobBook
from tinygsm_kit.convert.chain import Chain
from tinygsm_kit.convert.failures import Failure
from tinygsm_kit.convert.jobs import Jobs, Spool, batch_of
from tinygsm_kit.convert.ledger import Ledger, ledger_path
from tinygsm_kit.convert.money import BudgetError, cost, worst_usage
from tinygsm_kit.convert.options import HostOptions
from tinygsm_kit.convert.rows import Row, RowConverter, prepare_chunk
from tinygsm_kit.convert.session import Session, session
from tinygsm_kit.convert.stream import LOOKUP_ROWS
from tinygsm_kit.errors import PendingError
from tinygsm_kit.progress import Task
from tinygsm_kit.records import Reply
from tinygsm_kit.workers import in_chunks


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


async def _outcomes(shared: Session, rows: RowConverter, part: Part) -> AsyncIterator[Outcome | None]:
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
        batch = batch_of(service)
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
