"""Several sources in one stream, by weight."""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Iterator
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from tinygsm_kit.interfaces import Options, Source
from tinygsm_kit.records import Problem, Rejection
from tinygsm_kit.references import Of, Reference
from tinygsm_kit.sources import rows
from tinygsm_kit.sources.interleaving import turns

log = logging.getLogger(__name__)


class PartOptions(Options):
    """What the mixture wants to know of a part, beside the part's own options."""

    weight: float = Field(default=1.0, gt=0, description="Share of this part, relative to the other parts' weights.")


class MixtureOptions(Options):
    """The parts and how they are mixed."""

    parts: list[Annotated[Reference, Of("source", PartOptions)]] = Field(
        min_length=1, description="Sources, each {use: NAME, weight: 1.0, …its options}."
    )
    size: int | None = Field(
        default=None,
        ge=1,
        description="Rows in all. A part that has a `size` option and does not say it may give as many as its share takes.",
    )
    until: Literal["first", "all"] = Field(
        default="first",
        description="Where the mixture ends if no size ends it before: at the first part that runs out, so that the weights "
        "hold, or when all have.",
    )
    seed: int = Field(default=0, description="Seed of the order.")


class Mixture:
    """The rows of all parts, interleaved by weight. Weights hold over rows, before any is rejected."""

    Options: ClassVar[type[Options]] = MixtureOptions
    version: ClassVar[str] = "1"

    def __init__(self, options: MixtureOptions) -> None:
        self.options = options
        self.sources: list[Source] = [self._sized(part).build() for part in options.parts]

    def _sized(self, part: Reference) -> Reference:
        sizes = "size" in type(part.options).model_fields and "size" not in part.options.model_fields_set
        if self.options.size is None or not sizes:
            return part
        return dataclasses.replace(part, options=part.options.model_copy(update={"size": self.options.size}))

    def problems(self) -> Iterator[Problem | Rejection]:
        """The first n rows do not depend on the size."""
        return map(self.read, self.rows())

    def rows(self) -> Iterator[tuple[int, Any]]:
        """Which part, and its raw row."""
        streams = {index: rows.rows_of(source) for index, source in enumerate(self.sources)}
        given = 0
        for index in turns([self._weight(part) for part in self.options.parts], self.options.seed):
            if given == self.options.size or not streams:
                return
            if index not in streams:
                continue
            for row in streams[index]:
                given += 1
                yield index, row
                break
            else:
                del streams[index]
                if self.options.until == "first" or not streams:
                    self._tell_of_end(index, given)
                    return

    def _tell_of_end(self, index: int, given: int) -> None:
        if self.options.size is not None:
            name = self.options.parts[index].name
            log.warning("mixture: part %d (%s) ran out after %d of %d rows", index + 1, name, given, self.options.size)

    def read(self, row: tuple[int, Any]) -> Problem | Rejection:
        """What the part makes of its row."""
        index, raw = row
        return rows.read(self.sources[index], raw)

    def identity(self) -> list[object]:
        """What the parts are, versions included, and what they say of their data."""
        told = [getattr(source, "identity", None) for source in self.sources]
        return [[part.fingerprint(), tell() if tell else None] for part, tell in zip(self.options.parts, told, strict=True)]

    @staticmethod
    def _weight(part: Reference) -> float:
        return part.host.weight if isinstance(part.host, PartOptions) else 1.0
