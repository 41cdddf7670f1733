"""The recipe: what it may say. `recipe_files` reads it from YAML."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from tinygsm_kit.convert.options import HostOptions
from tinygsm_kit.errors import KitError
from tinygsm_kit.evaluate.options import EvaluateOptions
from tinygsm_kit.interfaces import LocalPath
from tinygsm_kit.records import PROMPT
from tinygsm_kit.references import Of, Reference, unknown_key, with_plugins
from tinygsm_kit.train.options import ModelSpec

NAME = r"^[A-Za-z0-9][A-Za-z0-9_.-]*$"
Target = Literal["solution", "program"]


class RecipeError(KitError):
    """The recipe is wrong. The message names file, line and key, what was expected, and the nearest valid name."""


class Section(BaseModel):
    """Base of every part of a recipe: unknown keys are errors, at every depth."""

    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True)


class Sample(Section):
    """How rows are drawn from the source."""

    size: int | None = Field(None, ge=1, description="Rows to draw; all where it is not given.")
    stratify: Literal["difficulty"] | None = Field("difficulty", description="Draw in proportion to the number of operations.")
    shards: int = Field(1, ge=1, description="Parts to divide the rows into, at least.")
    decontaminate: bool = Field(True, description="Reject questions that overlap with an evaluation set in use (13-grams).")


class StageHost(Section):
    """What the kit understands in a training stage beside the trainer's own options."""

    name: str | None = Field(None, pattern=NAME, description="Name of the stage; its trainer's name by default.")
    data: StageData | None = Field(None, description="Rows of this stage's own; this run's conversions where it is not given.")


class StageData(Section):
    """Rows for one training stage: problems that are converted like the rest, or ready prompts and completions."""

    source: Annotated[Reference, Of("source")] | None = Field(None, description="Problems, sampled, converted and injected.")
    sample: Sample = Field(default_factory=lambda: Sample(), description="How they are drawn.")
    convert: Annotated[Reference, Of("converter", HostOptions)] | None = Field(
        None, description="As the run's where not given."
    )
    texts: LocalPath | None = Field(None, description="JSONL or Parquet with columns `question` and `text`, taken as it is.")

    @model_validator(mode="after")
    def _one_of(self) -> StageData:
        if (self.source is None) == (self.texts is None):
            raise ValueError("expected either `source` (problems) or `texts` (ready rows)")
        return self


StageHost.model_rebuild()
Source = Annotated[Reference, Of("source")]
Conversion = Annotated[Reference, Of("converter", HostOptions)]
Injectors = list[Annotated[Reference, Of("injector")]]
TrainStages = Annotated[
    list[Annotated[Reference, Of("trainer", StageHost)]],
    BeforeValidator(lambda value: value if isinstance(value, list) else [value]),
    Field(min_length=1),
]


class Condition(Section):
    """One arm. What it does not say holds as at the top of the recipe."""

    inject: Injectors = Field(default_factory=list, description="Injectors, applied in this order.")
    model: ModelSpec | None = Field(None, description="A path or hub id, or a model from scratch.")
    source: Source | None = Field(None, description="Where the problems come from.")
    sample: Sample | None = Field(None, description="How rows are drawn.")
    convert: Conversion | None = Field(None, description="How programs become text.")
    target: Target | None = Field(None, description="What is learned: the worked solution, or the program itself.")
    train: TrainStages | None = Field(None, description="The stages of training.")


class Compare(Section):
    """Which two conditions are compared, and in what they may differ."""

    baseline: str = Field(description="Name of a condition.")
    treatment: str = Field(description="Name of a condition.")
    factor: str = Field("inject", description="The one section, or dotted key, in which the two are meant to differ.")
    differs: list[str] = Field(
        default_factory=list, description="Further differences that are admitted; the report says so at its top."
    )


class Recipe(Section):
    """An experiment, from data to verdict."""

    name: str = Field(pattern=NAME, description="Names the run directory.")
    description: str = Field("", description="A sentence for the report.")
    seed: int = Field(42, ge=0, description="Seed of everything that draws.")
    repeats: list[int] = Field(default_factory=list, description="Further training seeds: each trains every condition again.")
    prompt: str = Field(PROMPT, description="What the model reads before it answers.")
    source: Source = Field(description="Where the problems come from.")
    sample: Sample = Field(default_factory=Sample, description="How rows are drawn.")
    convert: Conversion = Field(
        default_factory=lambda: Of("converter", HostOptions).read("trace"), description="How programs become text."
    )
    target: Target = Field("solution", description="What is learned: the worked solution, or the program itself.")
    conditions: dict[Annotated[str, Field(pattern=NAME)], Condition] = Field(min_length=1, description="The arms, by name.")
    model: ModelSpec | None = Field(None, description="The base model of every condition.")
    train: TrainStages = Field(description="The trainer and its options, or a list of stages.")
    ladder: list[Annotated[int, Field(ge=1)]] = Field(
        default_factory=list,
        description="Rows of the rungs below the run: every condition is also trained on the first so many of its rows, each "
        "rung within the next, and the report says how accuracy grows with them.",
    )
    evaluate: EvaluateOptions = Field(default_factory=EvaluateOptions, description="Tasks and how they are run.")
    compare: Annotated[
        list[Compare], BeforeValidator(lambda value: [value] if isinstance(value, Mapping | Compare) else value)
    ] = Field(default_factory=list, description="One comparison or a list of them.")
    targets: dict[str, dict[str, float]] = Field(
        default_factory=dict, description="Task → condition (or `difference`) → the value hoped for; checked in the report."
    )

    @model_validator(mode="after")
    def _names_exist(self) -> Recipe:
        if "{question}" not in self.prompt:
            raise ValueError("prompt: expected a template with {question} in it")
        if self.ladder != sorted(set(self.ladder)):
            raise ValueError(f"ladder: expected rising numbers of rows, found {self.ladder}")
        for comparison in self.compare:
            for name in (comparison.baseline, comparison.treatment):
                if name not in self.conditions:
                    raise ValueError(f"compare: {unknown_key(name, set(self.conditions)).replace('key', 'condition')}")
        for task, values in self.targets.items():
            for name in values:
                if name not in {*self.conditions, "difference"}:
                    known = {*self.conditions, "difference"}
                    raise ValueError(f"targets.{task}: {unknown_key(name, known).replace('key', 'condition')}")
        for name, condition in self.conditions.items():
            if condition.model is None and self.model is None:
                raise ValueError(f"conditions.{name}: no `model`, neither here nor at the top of the recipe")
        return self

    def dump(self) -> dict[str, Any]:
        """The recipe as plain data, as it would be written, without defaults."""
        return self.model_dump(mode="json", exclude_unset=True)


def json_schema() -> dict[str, Any]:
    """The recipe's JSON schema, with the options of every plugin that is installed."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **with_plugins(Recipe.model_json_schema())}
