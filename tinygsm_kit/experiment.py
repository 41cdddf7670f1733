"""A recipe compiled into arms that may differ in the declared factor and in nothing else.

Whatever differs by accident - rows, order, seed, steps, a hyper-parameter, vocabulary, base model, evaluation settings - would
be read as an effect of the factor. So the compiled arms are compared setting by setting before anything runs.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from pydantic import BaseModel

from tinygsm_kit.recipe import Compare, Recipe, RecipeError, Sample, StageData, Target
from tinygsm_kit.references import Reference


@dataclass(frozen=True)
class Arm:
    """One condition with everything resolved: what the top of the recipe says, and what the condition overrides."""

    name: str
    source: Reference
    sample: Sample
    convert: Reference
    target: Target
    inject: tuple[Reference, ...]
    model: str | Mapping[str, Any]
    train: tuple[Reference, ...]
    room: str = ""
    """Where below the run directory the arm's rows lie, `stages/1-drills/` for those of one training stage."""
    texts: str | None = None
    """A file of ready prompts and completions that takes the place of sample and conversion."""
    rows: int | None = None
    """On a rung of the ladder, how many of the arm's rows it is: the first in the order of the draw."""

    def equations(self) -> dict[str, str]:
        """Fact tokens of this arm's injectors, in order, and the equation that each stands for."""
        injectors = [reference.build() for reference in self.inject]
        return {token: injector.eject(token) for injector in injectors for token in injector.tokens()}

    def settings(self) -> dict[str, Any]:
        """Everything that could make a difference, as plain data, each under the key that the recipe has for it."""
        return {
            "source": self.source.fingerprint(),
            "sample": self.sample.model_dump(mode="json"),
            "convert": self.convert.fingerprint(),
            "target": self.target,
            "inject": [reference.fingerprint() for reference in self.inject],
            "model": self.model if isinstance(self.model, str) else dict(self.model),
            "train": [_stage_settings(reference) for reference in self.train],
        }

    @property
    def converts(self) -> bool:
        """Whether programs become text: not where they are learned as they are, and not where the rows are ready."""
        return self.target == "solution" and self.texts is None

    def rows_of(self, index: int) -> Arm:
        """The arm whose rows one training stage takes: this one, or one with the stage's own rows in a room of their own."""
        data: StageData | None = getattr(self.train[index].host, "data", None)
        if data is None:
            return self
        room = f"stages/{self.stage_name(index)}/"
        if data.source is None:
            return replace(self, room=room, rows=None, texts=str(data.texts))
        convert = data.convert or self.convert
        return replace(self, room=room, rows=None, source=data.source, sample=data.sample, convert=convert)

    def stage_name(self, index: int) -> str:
        """`1-drills`: a training stage's position, and its name or its trainer's."""
        reference = self.train[index]
        return f"{index + 1}-{getattr(reference.host, 'name', None) or reference.name}"

    def rung(self, rows: int | None) -> Arm:
        """The arm on a rung of the ladder, in a room of its own; None is the top rung, the run itself."""
        return replace(self, rows=rows, room="" if rows is None else f"ladder/{rows}-rows/")


@dataclass(frozen=True)
class Experiment:
    """The arms of a recipe, their shared vocabulary, and what was admitted about their differences."""

    recipe: Recipe
    arms: dict[str, Arm]
    equations: dict[str, str]
    """Fact tokens of all arms, in a stable order, and the equation that each stands for."""
    admitted: tuple[str, ...]
    """Differences beside the factor that `differs` admits, each a sentence for the report."""

    def all_rows(self) -> Iterator[Arm]:
        """Every arm, and for each of its training stages with rows of its own the arm that stands for those rows."""
        for arm in self.arms.values():
            yield arm
            yield from (rows for index in range(len(arm.train)) if (rows := arm.rows_of(index)) is not arm)

    def ladder(self) -> Iterator[Arm]:
        """Every arm on every rung below the top one, from few rows to many."""
        return (arm.rung(rows) for rows in self.recipe.ladder for arm in self.arms.values())


def compile_recipe(recipe: Recipe) -> Experiment:
    """Resolve every condition and refuse comparisons whose arms differ by accident. Raises RecipeError."""
    arms = {name: _arm(recipe, name) for name in recipe.conditions}
    admitted = [sentence for comparison in recipe.compare for sentence in _check(comparison, arms)]
    _check_ladder(recipe.ladder, arms)
    equations = {token: equation for arm in arms.values() for token, equation in arm.equations().items()}
    return Experiment(recipe, arms, equations, tuple(admitted))


def _arm(recipe: Recipe, name: str) -> Arm:
    condition = recipe.conditions[name]
    model = condition.model if condition.model is not None else recipe.model
    if model is None:
        raise RecipeError(f"conditions.{name}: no `model`, neither here nor at the top of the recipe")
    return Arm(
        name=name,
        source=condition.source or recipe.source,
        sample=condition.sample or recipe.sample,
        convert=condition.convert or recipe.convert,
        target=condition.target or recipe.target,
        inject=tuple(condition.inject),
        model=model.model_dump(mode="json") if isinstance(model, BaseModel) else model,
        train=tuple(condition.train or recipe.train),
    )


def _stage_settings(reference: Reference) -> dict[str, Any]:
    host = {} if reference.host is None else reference.host.model_dump(mode="json")
    return {**reference.fingerprint(), **host}


def _check(comparison: Compare, arms: Mapping[str, Arm]) -> Iterator[str]:
    """The admitted differences of one comparison; an error for those that nobody admitted."""
    baseline, treatment = arms[comparison.baseline], arms[comparison.treatment]
    pair = f"{comparison.treatment} and {comparison.baseline}"
    found = list(differences(baseline.settings(), treatment.settings()))
    if not any(_within(key, comparison.factor) for key, _, _ in found):
        raise RecipeError(
            f"compare: {pair} do not differ in {comparison.factor!r}, the factor under test: "
            + (f"they differ in {', '.join(key for key, _, _ in found)}; set `factor`" if found else "they are the same")
        )
    for key, left, right in found:
        if _within(key, comparison.factor):
            continue
        if not any(_within(key, admitted) for admitted in comparison.differs):
            raise RecipeError(
                f"compare: {pair} differ in {key!r} ({comparison.baseline}: {left!r}, {comparison.treatment}: {right!r}), "
                f"which is not the factor under test ({comparison.factor!r}): make them equal, or admit it by "
                f"`differs: [{key}]`"
            )
        yield f"{pair} differ in {key} as well ({left!r} against {right!r})"


def _check_ladder(ladder: Sequence[int], arms: Mapping[str, Arm]) -> None:
    """Every rung must be smaller than the run, and the run's rows must be trained on."""
    for name, arm in arms.items() if ladder else ():
        if arm.sample.size is not None and ladder[-1] >= arm.sample.size:
            raise RecipeError(
                f"ladder: expected fewer rows than {name} samples ({arm.sample.size:,}), which is the top rung, "
                f"found {ladder[-1]:,}"
            )
        if all(arm.rows_of(index) is not arm for index in range(len(arm.train))):
            raise RecipeError(f"ladder: expected a training stage of {name} that takes the run's rows, found `data` in each")


def _within(key: str, declared: str) -> bool:
    """Whether a dotted key is the declared one or lies below it."""
    return key == declared or key.startswith(declared + ".")


def differences(left: Any, right: Any, key: str = "") -> Iterator[tuple[str, Any, Any]]:
    """Every setting in which two nested settings differ, as (dotted key, left, right)."""
    if isinstance(left, Mapping) and isinstance(right, Mapping):
        if left.get("use") != right.get("use"):  # two plugins: their options have nothing to do with each other
            yield f"{key}.use", left.get("use"), right.get("use")
            return
        for name in sorted({*left, *right}, key=str):
            below = f"{key}.{name}" if key else str(name)
            if name not in left or name not in right:
                yield below, left.get(name), right.get(name)
            else:
                yield from differences(left[name], right[name], below)
    elif isinstance(left, list) and isinstance(right, list) and len(left) == len(right) > 0:
        for index, (one, other) in enumerate(zip(left, right, strict=True)):
            yield from differences(one, other, key if len(left) == 1 else f"{key}.{index}")
    elif left != right:
        yield key, left, right
