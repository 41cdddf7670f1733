"""The keys of a recipe's `convert` section that belong to the host, not to the converter: how, how fast, for how much."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from tinygsm_kit.interfaces import Options
from tinygsm_kit.references import Of, Reference

Dollars = Annotated[float, Field(ge=0)]


class Price(BaseModel):
    """What a model costs, in US dollars for a million tokens."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    input: Dollars = Field(description="dollars for a million input tokens")
    output: Dollars = Field(description="dollars for a million output tokens, reasoning included")
    cached: Dollars | None = Field(None, description="dollars for a million input tokens read from the provider's cache")
    batch: float = Field(0.5, gt=0, le=1, description="factor on all of it in batch mode")


class HostOptions(Options):
    """What the host that runs a converter can be told, beside the converter's own options."""

    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True)

    executor: Literal["local", "ray"] = Field("local", description="where computing converters run: local processes, or Ray")
    ray_address: str | None = Field(None, description="an existing Ray cluster; none: the one around, or a local one")
    chunk_rows: int = Field(250, ge=1, description="rows that a worker process converts at a time")
    chunk_timeout: float = Field(60.0, gt=0, description="seconds a chunk may take before its rows are tried one by one")
    mode: Literal["online", "batch"] = Field("online", description="ask row by row, or by the provider's batch jobs")
    detach: bool = Field(False, description="batch mode: stop once the jobs are submitted; run again to collect them")
    poll_seconds: float = Field(30.0, gt=0, description="batch mode: seconds between looks at the jobs")
    batch_rows: int | None = Field(None, ge=1, description="batch mode: requests a job at most, within the provider's limit")
    budget_usd: Dollars | None = Field(
        10.0, description="hard limit on what this run may spend; null: no limit, and models without a known price are allowed"
    )
    prices: dict[str, Price] = Field(default_factory=dict, description="prices by model, over those that the kit ships")
    repair: bool = Field(True, description="send a row that fails verification back once, with the failing line named")
    fallback: Annotated[Reference, Of("converter")] | None = Field(
        None, description="converter for rows that this one cannot convert: a name such as trace, or {use: NAME, ...}"
    )
    max_in_flight: int = Field(64, ge=1, description="requests that wait for an answer at the same time, at most")
    requests_per_minute: int | None = Field(None, ge=1, description="requests a minute at most")
    tokens_per_minute: int | None = Field(None, ge=1, description="tokens a minute at most, input and output together")
    retries: int = Field(8, ge=0, description="how often a request that may succeed later is tried again")
    request_timeout: float = Field(120.0, gt=0, description="seconds before an unanswered request counts as lost")
