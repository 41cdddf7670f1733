"""Asking a service for one answer: out of the ledger, or paid for once, retried where that can help, and then in the ledger."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tinygsm_kit.convert.account import Account
from tinygsm_kit.convert.assembly import ConvertError
from tinygsm_kit.convert.chain import Link
from tinygsm_kit.convert.concurrency import AdaptiveLimit, RateLimit
from tinygsm_kit.convert.failures import Failure, classify
from tinygsm_kit.convert.ledger import Answer
from tinygsm_kit.convert.money import cost, model_of, price_of, worst_usage
from tinygsm_kit.convert.options import HostOptions, Price
from tinygsm_kit.errors import KitError
from tinygsm_kit.records import Reply, Usage

FIRST_DELAY, LONGEST_DELAY = 0.25, 60.0
BUSY_RETRIES = 10
"""A server that is busy is asked again this many times as often as one that fails: being slow is no reason to reject rows."""
GIVE_UP_AFTER = 20
"""Rows in a row that fail for good, with no answer between, before the run stops rather than rejects all that is left."""


STOPPED = "interrupted: what was paid for is in the ledger; run again to go on"


class RequestError(Exception):
    """A request failed for good. The row is rejected with `failure.reason`."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.detail)
        self.failure = failure


class StoppedError(ConvertError):
    """The user interrupted; requests in flight were let finish."""


@dataclass
class Figures:
    """What a person wants to see while it runs."""

    rows: int = 0
    rejected: int = 0
    repaired: int = 0
    from_ledger: int = 0
    requests: int = 0
    retries: int = 0
    tokens: int = 0


class Service:
    """One remote converter of a chain with its price and its share of the server's patience."""

    def __init__(self, link: Link, converter: Any, host: HostOptions) -> None:
        self.name, self.converter = link.name, converter
        self.model = model_of(converter)
        self.price: Price | None = price_of(converter, host)
        self.limit = AdaptiveLimit(host.max_in_flight)
        self.requests, self.tokens = RateLimit(host.requests_per_minute), RateLimit(host.tokens_per_minute)

    async def close(self) -> None:
        """End the converter's connections, if it has a way to."""
        close = getattr(self.converter, "close", None)
        if close is not None:
            await close()


class Asker:
    """Asks services for answers. The same request is never under way twice."""

    def __init__(self, account: Account, host: HostOptions, figures: Figures) -> None:
        self.account, self.host, self.figures = account, host, figures
        self.stopping = asyncio.Event()
        self._under_way: dict[bytes, asyncio.Future[Reply]] = {}
        self._failed_in_a_row = 0

    async def ask(self, service: Service, request: Mapping[str, Any], key: bytes, look_first: bool) -> Reply:
        """The answer to a request. `look_first` where nobody has looked into the ledger yet.

        Raises RequestError when there will be none, BudgetError or another ConvertError when the run must stop.
        """
        same = self._under_way.get(key)
        if same is not None:
            self.figures.from_ledger += 1
            return await asyncio.shield(same)
        future = self._under_way[key] = asyncio.get_running_loop().create_future()
        try:
            reply = (await self.account.ledger.find([key])).get(key) if look_first else None
            if reply is None:
                reply = await self._pay(service, request, key)
            else:
                self.figures.from_ledger += 1
            future.set_result(reply)
            return reply
        except BaseException as error:
            future.set_exception(error if isinstance(error, Exception) else StoppedError("interrupted"))
            future.exception()  # seen, even where nobody else waited for it
            raise
        finally:
            del self._under_way[key]

    async def _pay(self, service: Service, request: Mapping[str, Any], key: bytes) -> Reply:
        usage = worst_usage(service.converter, request)
        worst = cost(service.price, usage)
        tries = busy = 0
        while True:
            result = await self._send(service, request, key, usage, worst)
            if isinstance(result, Reply):
                self._failed_in_a_row = 0
                return result
            busy, tries = (busy + 1, tries) if result.kind == "busy" else (busy, tries + 1)
            self._give_up_or_not(result, tries > self.host.retries or busy > BUSY_RETRIES * self.host.retries)
            self.figures.retries += 1
            await asyncio.sleep(_delay(result, tries + busy))

    async def _send(
        self, service: Service, request: Mapping[str, Any], key: bytes, usage: Usage, worst: float
    ) -> Reply | Failure:
        tokens = usage.input + usage.output
        await service.requests.take()
        await service.tokens.take(tokens)
        ticket = await service.limit.acquire()
        try:
            if self.stopping.is_set():
                raise StoppedError(STOPPED)
            await self.account.reserve(worst)
            self.figures.requests += 1
            try:
                async with asyncio.timeout(self.host.request_timeout):
                    reply = await service.converter.send(request)
            except KitError:  # a message for the user, such as a key that is not set
                await self.account.failed(service.model, usage, worst, billed=False)
                raise
            except Exception as error:
                failure = classify(error)
                if failure.kind == "busy":
                    service.limit.refused(ticket, failure.retry_after)
                await self.account.failed(service.model, usage, worst, failure.billed)
                return failure
            service.limit.well()
        finally:
            service.limit.release()
        used = reply.usage.input + reply.usage.output
        service.tokens.give_back(tokens - used)
        self.figures.tokens += used
        answer = Answer(key, service.name, service.model, self.account.run, reply, cost(service.price, reply.usage))
        return await self.account.answered(answer, worst)

    def _give_up_or_not(self, failure: Failure, exhausted: bool) -> None:
        if failure.kind == "stop":
            raise ConvertError(f"the service refuses every request: {failure.detail}")
        if failure.kind != "row" and not exhausted:
            return
        self._failed_in_a_row += 1
        if self._failed_in_a_row >= GIVE_UP_AFTER:
            raise ConvertError(
                f"{GIVE_UP_AFTER} rows in a row got no answer, the last after {self.host.retries} retries: {failure.detail}. "
                "Run again to go on; what is paid for is not paid again"
            )
        raise RequestError(failure)


def _delay(failure: Failure, tries: int) -> float:
    """What the server asked for and a little more, or twice as long each time; never the same for two requests."""
    if failure.retry_after is not None:
        return failure.retry_after * random.uniform(1.0, 1.1)
    return min(LONGEST_DELAY, FIRST_DELAY * 2.0 ** min(tries - 1, 16)) * random.uniform(0.5, 1.0)
