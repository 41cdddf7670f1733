"""Prices, and the budget that no request may break: what it can cost at worst is set aside before it is sent."""

from __future__ import annotations

import asyncio
import difflib
import functools
import json
import re
from collections.abc import Mapping
from importlib import resources
from typing import Any

from tinygsm_kit.convert.assembly import ConvertError
from tinygsm_kit.convert.options import HostOptions, Price
from tinygsm_kit.records import Usage

_DATED = re.compile(r"-(\d{4}-\d{2}-\d{2}|\d{8})$")


class PriceError(ConvertError):
    """A model's price is not known, and the recipe wants a budget kept."""


class BudgetError(ConvertError):
    """The next request could break the budget. Nothing was sent; what was paid for is in the ledger."""


@functools.cache
def shipped_prices() -> tuple[str, dict[str, Price]]:
    """The date of the kit's price list, and its prices by model."""
    data = json.loads(resources.files("tinygsm_kit.convert").joinpath("prices.json").read_text(encoding="utf-8"))
    return data["as_of"], {model: Price(**price) for model, price in data["models"].items()}


def price_of(converter: Any, host: HostOptions) -> Price | None:
    """The price of a converter's model: the recipe's, else the converter's own, else the kit's.

    A dated snapshot costs what its model costs. None where it is not known and the recipe has `budget_usd: null`; else
    PriceError.
    """
    model = model_of(converter)
    as_of, shipped = shipped_prices()
    known: Mapping[str, Price] = {**shipped, **_own_prices(converter), **host.prices}
    price = known.get(model) or known.get(_DATED.sub("", model))
    if price is None and host.budget_usd is not None:
        near = difflib.get_close_matches(model, known, 1)
        hint = f" (did you mean {near[0]!r}?)" if near else ""
        raise PriceError(
            f"no price is known for model {model!r}{hint}; the kit's list is of {as_of}. Set convert.prices.{model}: "
            "{input: …, output: …} in dollars for a million tokens, or convert.budget_usd: null to spend without a limit"
        )
    return price


def model_of(converter: Any) -> str:
    """The name under which a converter's requests are priced and reported."""
    return str(getattr(converter, "model", "") or type(converter).__name__)


def _own_prices(converter: Any) -> dict[str, Price]:
    return {model: Price.model_validate(price) for model, price in getattr(converter, "prices", {}).items()}


def cost(price: Price | None, usage: Usage, batch: bool = False) -> float:
    """Dollars for what was used; 0 where the price is not known. Source: input, cached and output are billed apart."""
    if price is None:
        return 0.0
    cached = price.input if price.cached is None else price.cached
    dollars = (usage.input - usage.cached) * price.input + usage.cached * cached + usage.output * price.output
    return dollars * (price.batch if batch else 1.0) / 1e6


def worst_usage(converter: Any, request: Mapping[str, Any]) -> Usage:
    """The most tokens a request can use. A byte-level token is one byte or more, so bytes bound the input's tokens."""
    count = getattr(converter, "input_tokens", None)
    tokens = count(request) if count else len(json.dumps(request, ensure_ascii=False).encode()) + 64
    return Usage(input=tokens, output=int(getattr(converter, "max_output_tokens", 0)))


class Budget:
    """Dollars spent and set aside. `reserve` waits while requests under way may leave enough, and raises when none can."""

    def __init__(self, limit: float | None, spent: float) -> None:
        self.limit, self.spent, self.reserved = limit, spent, 0.0
        self.closed = False
        self._waiting: list[asyncio.Future[None]] = []

    async def reserve(self, worst: float) -> None:
        """Set the worst case of one request aside, or raise BudgetError: then nothing more is sent."""
        while not self.take(worst):
            if self.closed or self.reserved <= 1e-12:
                self.closed = True
                self._wake()
                raise BudgetError(
                    f"budget_usd: {self.limit:g} is nearly used: ${self.spent:.4f} spent, and the next request may cost "
                    f"${worst:.4f}. Raise convert.budget_usd and run again: what is paid for is not paid again"
                )
            turn = asyncio.get_running_loop().create_future()
            self._waiting.append(turn)
            await turn

    def take(self, worst: float) -> bool:
        """Set aside if it fits, without waiting."""
        if self.closed or (self.limit is not None and self.spent + self.reserved + worst > self.limit):
            return False
        self.reserved += worst
        return True

    def settle(self, worst: float, actual: float) -> None:
        """A request is over: free what was set aside, and count what it cost."""
        self.reserved = max(0.0, self.reserved - worst)
        self.spent += actual
        self._wake()

    def _wake(self) -> None:
        waiting, self._waiting = self._waiting, []
        for turn in waiting:
            if not turn.done():
                turn.set_result(None)
