"""Word problems made up on the spot: seeded and offline."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from pydantic import Field, field_validator, model_validator

from tinygsm_kit.errors import did_you_mean
from tinygsm_kit.interfaces import Options
from tinygsm_kit.records import Problem, problem_id
from tinygsm_kit.sources.templates import TEMPLATES, Draw, Template

MOST_STEPS = max(template.steps for template in TEMPLATES.values())


class SyntheticOptions(Options):
    """How many problems, of which kinds."""

    size: int = Field(default=10_000, ge=1, description="Rows.")
    seed: int = Field(default=0, description="Seed: row i is decided by the seed and i alone.")
    templates: tuple[str, ...] | None = Field(
        default=None, description="Names of the templates to use; all where it is not given."
    )
    min_steps: int = Field(default=1, ge=1, description="Fewest arithmetic operations in a program.")
    max_steps: int = Field(
        default=MOST_STEPS, ge=1, description=f"Most arithmetic operations in a program; there are up to {MOST_STEPS}."
    )

    @field_validator("templates")
    @classmethod
    def _names_are_known(cls, names: tuple[str, ...] | None) -> tuple[str, ...] | None:
        for name in names or ():
            if name not in TEMPLATES:
                hint = did_you_mean(name, TEMPLATES, f"there are: {', '.join(TEMPLATES)}")
                raise ValueError(f"unknown template {name!r}: {hint}")
        return names

    @model_validator(mode="after")
    def _something_is_left(self) -> SyntheticOptions:
        if not self.chosen():
            raise ValueError(
                f"no template has {self.min_steps} to {self.max_steps} steps: widen `min_steps`, `max_steps` or `templates`"
            )
        return self

    def chosen(self) -> list[Template]:
        """The templates in use."""
        named = TEMPLATES if self.templates is None else self.templates
        return [TEMPLATES[name] for name in named if self.min_steps <= TEMPLATES[name].steps <= self.max_steps]


class Synthetic:
    """Problems from templates, each with its program. All templates are equally likely."""

    Options: ClassVar[type[Options]] = SyntheticOptions
    version: ClassVar[str] = "1"

    def __init__(self, options: SyntheticOptions) -> None:
        self.options = options
        self.templates = options.chosen()

    def problems(self) -> Iterator[Problem]:
        """The first n rows do not depend on the size."""
        return map(self.read, self.rows())

    def rows(self) -> Iterator[int]:
        """The numbers of the rows."""
        return iter(range(self.options.size))

    def read(self, row: int) -> Problem:
        """Problem number `row`."""
        draw = Draw(self.options.seed, row)
        template = draw.pick(self.templates)
        story = template.write(draw)
        program = story.program
        identifier = problem_id(story.question, program)
        return Problem(identifier, story.question, program, difficulty=template.steps, source=f"synthetic/{template.name}")
