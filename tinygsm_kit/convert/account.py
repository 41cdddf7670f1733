"""One run's account: the budget in memory and its trace in the ledger, so that a kill forgets no dollar."""

from __future__ import annotations

import asyncio

from tinygsm_kit.convert.ledger import Answer, Spend
from tinygsm_kit.convert.ledger_thread import LedgerThread
from tinygsm_kit.convert.money import Budget
from tinygsm_kit.records import Reply, Usage

AHEAD = 1.25
"""The durable mark of dollars in flight is set this much above need, so that it moves seldom."""


class Account:
    """Reserves before a request, records after it. What is reserved is never more than the mark that the ledger holds."""

    def __init__(self, ledger: LedgerThread, run: str, limit: float | None) -> None:
        self.ledger, self.run = ledger, run
        self.budget = Budget(limit, sum(spend.usd for spend in ledger.ledger.spent(run)))
        self.mark = 0.0
        self._marking = asyncio.Lock()

    async def reserve(self, worst: float) -> None:
        """Set aside what a request may cost; on disk too, before it is sent. Raises BudgetError."""
        await self.budget.reserve(worst)
        if self.budget.reserved > self.mark:
            async with self._marking:
                if self.budget.reserved > self.mark:
                    mark = self.budget.reserved * AHEAD
                    if self.budget.limit is not None:
                        mark = max(self.budget.reserved, min(mark, self.budget.limit - self.budget.spent))
                    await self.ledger.set_at_risk(self.run, mark)
                    self.mark = mark

    async def answered(self, answer: Answer, worst: float) -> Reply:
        """Put an answer and its cost into the ledger. Returns the answer that stands, once it is on disk."""
        try:
            return await self.ledger.put(answer)
        finally:
            self.budget.settle(worst, answer.usd)

    async def failed(self, model: str, usage: Usage, worst: float, billed: bool) -> None:
        """A request ended without an answer: free what was set aside, or count it where it may have been billed."""
        if billed and worst:
            await self.ledger.lose(Spend(self.run, model, "lost", 1, usage, worst))
        self.budget.settle(worst, worst if billed else 0.0)

    async def close(self) -> None:
        """Whatever is still set aside belongs to requests that were cut off: it may have been billed."""
        if self.budget.reserved > 1e-12:
            await self.ledger.lose(Spend(self.run, "", "lost", 0, Usage(), self.budget.reserved))
        await self.ledger.set_at_risk(self.run, 0.0)
