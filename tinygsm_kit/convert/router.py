"""The `router` converter: hands rows to other converters, in order until one can, or by seeded shares."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, ClassVar

from pydantic import ConfigDict, Field, model_validator

from tinygsm_kit.interfaces import Options
from tinygsm_kit.references import Of, Reference


class RouteHost(Options):
    """What the router understands of a route, beside the converter's own options."""

    share: float | None = Field(None, gt=0, description="share of the rows that starts here; all routes have one, or none")


class RouterOptions(Options):
    """What the `router` converter can be told."""

    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True)

    routes: list[Annotated[Reference, Of("converter", RouteHost)]] = Field(
        min_length=1, description="converters, each {use: NAME, …}: tried in this order, or dealt rows by their `share`"
    )

    @model_validator(mode="after")
    def _all_or_none(self) -> RouterOptions:
        shares = [_share(route) for route in self.routes]
        if any(shares) and not all(shares):
            raise ValueError("expected a share for every route or for none: some have one, some have not")
        if any(route.name == "router" for route in self.routes):
            raise ValueError("a router cannot hand rows to a router: list its routes here instead")
        return self


class Router:
    """Trace first and a language model for what it refuses, or a share of rows to each for variety of style."""

    Options: ClassVar = RouterOptions
    version: ClassVar[str] = "1"

    def __init__(self, options: RouterOptions) -> None:
        self.options = options

    @staticmethod
    def routes(options: RouterOptions) -> tuple[Sequence[Reference], Sequence[float]]:
        """The routes, and their shares where they have any."""
        shares = [_share(route) for route in options.routes]
        return options.routes, [share for share in shares if share is not None]


def _share(route: Reference) -> float | None:
    host: Any = route.host
    return None if host is None else host.share
