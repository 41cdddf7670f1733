"""One row through a chain that has remote converters in it: ask, read, verify, repair once, go on to the next converter."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from tinygsm_kit.convert.asking import Figures, RequestError, Service
from tinygsm_kit.convert.assembly import Outcome
from tinygsm_kit.convert.chain import STAGE, Chain, convert_here, summed_up, with_answer
from tinygsm_kit.convert.failures import redact
from tinygsm_kit.convert.ledger import key_of
from tinygsm_kit.convert.verify import verify
from tinygsm_kit.records import Problem, Rejection, Reply, Solution, Usage

NOT_REPAIRED = ("refusal", "cut_off")
"""Asking again would get the same, at the same price."""

Refused = list[tuple[str, Rejection]]


@dataclass
class Row:
    """A row on its way: what is known of it, and which converters it may still try."""

    problem: Problem
    outcome: Outcome | None = None
    refused: Refused = field(default_factory=list)
    left: Sequence[int] = ()
    part: int = 0
    position: int = 0
    request: Mapping[str, Any] | None = None
    key: bytes = b""
    known: Reply | None = None
    look_first: bool = True
    paid: list[tuple[Service, Usage]] = field(default_factory=list)
    """What its answers took, paid for now or before."""


class Ask(Protocol):
    """How a request gets its answer: from the service now, or only from the ledger."""

    async def __call__(self, service: Service, request: Mapping[str, Any], key: bytes, look_first: bool) -> Reply: ...


def prepare_chunk(chain: Chain, problems: Sequence[Problem]) -> list[Row]:
    """All that needs no service: run the program where its answer is missing, and try the local converters that come first."""
    return [_prepare(chain, problem) for problem in problems]


def _prepare(chain: Chain, problem: Problem) -> Row:
    ready = with_answer(problem)
    if isinstance(ready, Rejection):
        return Row(problem, ready)
    order = list(chain.order(problem.id))
    row = Row(ready, left=order)
    for place, index in enumerate(order):
        if chain.links[index].remote:
            row.left = order[place:]
            return row
        outcome = convert_here(chain.converters()[index], ready)
        if isinstance(outcome, Solution):
            return Row(ready, outcome)
        row.refused.append((chain.links[index].name, outcome))
    return Row(ready, summed_up(row.refused))


class RowConverter:
    """Takes prepared rows to their outcome."""

    def __init__(self, chain: Chain, services: Mapping[int, Service], ask: Ask, repair: bool, figures: Figures) -> None:
        self.chain, self.services, self.ask, self.repair, self.figures = chain, services, ask, repair, figures

    def form(self, row: Row) -> None:
        """Form the row's first request. A converter that raises on it refuses the row; then the next one is asked."""
        while row.outcome is None and self.chain.links[row.left[0]].remote:
            service = self.services[row.left[0]]
            try:
                row.request = service.converter.request(row.problem)
                row.key = key_of(service.name, row.request)
                return
            except Exception as error:
                row.refused.append((service.name, _raised(row.problem, error)))
                row.left = row.left[1:]
                if not row.left:
                    row.outcome = summed_up(row.refused)

    async def convert(self, row: Row) -> Outcome:
        """The row's outcome. Raises ConvertError when the run must stop."""
        if row.outcome is not None:
            return row.outcome
        for index in row.left:
            outcome = await self._try(index, row)
            if isinstance(outcome, Solution):
                return outcome
            row.refused.append((self.chain.links[index].name, outcome))
            row.request = None
        return summed_up(row.refused)

    async def _try(self, index: int, row: Row) -> Outcome:
        if not self.chain.links[index].remote:
            return await asyncio.to_thread(convert_here, self.chain.converters()[index], row.problem)
        service = self.services[index]
        try:
            return await self._ask_and_repair(service, row)
        except RequestError as error:
            return Rejection(row.problem.id, STAGE, error.failure.reason, error.failure.detail)

    async def _ask_and_repair(self, service: Service, row: Row) -> Outcome:
        problem = row.problem
        try:
            request = row.request if row.request is not None else service.converter.request(problem)
        except Exception as error:
            return _raised(problem, error)
        if row.request is not None and row.known is not None:
            reply = row.known
        else:
            key, look_first = (row.key, row.look_first) if row.request is not None else (key_of(service.name, request), True)
            reply = await self.ask(service, request, key, look_first)
        row.paid.append((service, reply.usage))
        outcome = judged(service, problem, reply)
        if isinstance(outcome, Solution) or not self._repairable(service, outcome):
            return outcome
        try:
            fault = f"{outcome.reason.replace('_', ' ')}: {outcome.detail}"
            again = service.converter.repair(problem, request, reply, fault)
        except Exception as error:
            return _raised(problem, error)
        reply = await self.ask(service, again, key_of(service.name, again), True)
        row.paid.append((service, reply.usage))
        second = judged(service, problem, reply)
        if isinstance(second, Solution):
            self.figures.repaired += 1
        return second

    def _repairable(self, service: Service, rejection: Rejection) -> bool:
        return self.repair and hasattr(service.converter, "repair") and rejection.reason not in NOT_REPAIRED


def judged(service: Service, problem: Problem, reply: Reply) -> Outcome:
    """What a reply comes to: read by the converter, verified by the host."""
    try:
        outcome: Outcome = service.converter.read(problem, reply)
    except Exception as error:
        return _raised(problem, error)
    return verify(problem, outcome) if isinstance(outcome, Solution) else outcome


def _raised(problem: Problem, error: Exception) -> Rejection:
    return Rejection(problem.id, STAGE, "converter_error", redact(f"{type(error).__name__}: {error}")[:500])
