"""How many requests may wait at the same time, and how fast new ones may start: as many as the server bears."""

from __future__ import annotations

import asyncio
import time
from collections import deque

FIRST_LIMIT = 32
"""Where the limit starts. It doubles with every round trip until the server first says no."""
LONE = 3
"""Refusals in a row, with no success between, from which on all requests wait, not only the refused one."""


class AdaptiveLimit:
    """Slots for requests in flight: additive increase, multiplicative decrease, as in TCP.

    Until the first refusal every success adds one slot (so the limit doubles each round trip), after it a whole window of
    successes adds one. A refusal halves the limit, once for all requests that were in flight then.
    """

    def __init__(self, most: int) -> None:
        self.most = most
        self.limit = float(min(most, FIRST_LIMIT))
        self.in_flight = 0
        self.refused_in_a_row = 0
        self._growing_fast = True
        self._halved_at = 0
        self._started = 0
        self._resume_at = 0.0
        self._waiting: deque[asyncio.Future[None]] = deque()

    async def acquire(self) -> int:
        """Wait for a slot. Returns a ticket for `release`."""
        while (pause := self._resume_at - time.monotonic()) > 0:
            await asyncio.sleep(pause)
        while self.in_flight >= int(self.limit):
            turn = asyncio.get_running_loop().create_future()
            self._waiting.append(turn)
            try:
                await turn
            except asyncio.CancelledError:
                self._wake()
                raise
        self.in_flight += 1
        self._started += 1
        return self._started

    def release(self) -> None:
        """Give a slot back."""
        self.in_flight -= 1
        self._wake()

    def well(self) -> None:
        """The server answered."""
        self.refused_in_a_row = 0
        if self.limit < self.most:
            self.limit = min(float(self.most), self.limit + (1.0 if self._growing_fast else 1.0 / self.limit))
            self._wake()

    def refused(self, ticket: int, retry_after: float | None) -> None:
        """The server said that it is too much (429, 503, 529). When it says so to one after the other, all wait."""
        self._growing_fast = False
        self.refused_in_a_row += 1
        if ticket > self._halved_at:
            self.limit = max(1.0, self.limit / 2)
            self._halved_at = self._started
        if retry_after and self.refused_in_a_row >= LONE:
            self._resume_at = max(self._resume_at, time.monotonic() + retry_after)

    def _wake(self) -> None:
        free = int(self.limit) - self.in_flight
        while free > 0 and self._waiting:
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_result(None)
                free -= 1


class RateLimit:
    """So much a minute at most, of requests or of tokens: a bucket that fills evenly and holds six seconds' worth."""

    def __init__(self, per_minute: int | None) -> None:
        self.per_second = None if per_minute is None else per_minute / 60
        self.most = 0.0 if per_minute is None else max(1.0, per_minute / 10)
        self.level, self.at = self.most, time.monotonic()

    async def take(self, amount: float = 1.0) -> None:
        """Wait until so much may go: each taker waits until the bucket is out of the debt that it left."""
        if self.per_second is None:
            return
        self._fill()
        self.level -= amount
        if self.level < 0:
            await asyncio.sleep(-self.level / self.per_second)

    def give_back(self, amount: float) -> None:
        """What was taken and not used, or the other way round."""
        if self.per_second is not None:
            self._fill()
            self.level = min(self.most, self.level + amount)

    def _fill(self) -> None:
        now = time.monotonic()
        self.level = min(self.most, self.level + (now - self.at) * (self.per_second or 0.0))
        self.at = now
