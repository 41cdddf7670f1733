"""The recipe: its schema, how it is read from YAML with overrides, and errors that name file, line and key."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from tinygsm_kit.convert.options import HostOptions
from tinygsm_kit.errors import KitError
from tinygsm_kit.evaluate.options import EvaluateOptions
from tinygsm_kit.references import Of, Reference, known_keys, unknown_key
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
    convert: Annotated[Reference, Of("converter", HostOptions)] | None = Field(None, description="As the run's where not given.")
    texts: Path | None = Field(None, description="JSONL or Parquet with columns `question` and `text`, taken as it is.")

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
    prompt: str = Field("User: {question}\nAssistant:", description="What the model reads before it answers.")
    source: Source = Field(description="Where the problems come from.")
    sample: Sample = Field(default_factory=Sample, description="How rows are drawn.")
    convert: Conversion = Field(
        default_factory=lambda: Of("converter", HostOptions).read("trace"), description="How programs become text."
    )
    target: Target = Field("solution", description="What is learned: the worked solution, or the program itself.")
    conditions: dict[Annotated[str, Field(pattern=NAME)], Condition] = Field(min_length=1, description="The arms, by name.")
    model: ModelSpec | None = Field(None, description="The base model of every condition.")
    train: TrainStages = Field(description="The trainer and its options, or a list of stages.")
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


SHIPPED = "shipped_recipes"


def find_recipe(name: str) -> Path:
    """The file: a path, or the name of a recipe that ships with the package."""
    path = Path(name)
    if path.is_file():
        return path
    shipped = shipped_recipes()
    if name in shipped:
        return shipped[name]
    if path.stem in shipped and path.parent.name == "recipes":
        return shipped[path.stem]
    hint = unknown_key(path.stem, set(shipped)).replace("key", "recipe")
    raise RecipeError(f"{name}: no such file, and no recipe of that name ships with the package: {hint}")


def shipped_recipes() -> dict[str, Path]:
    """Recipes that come with the package, by name; in a checkout, the folder `recipes/` itself."""
    package = Path(__file__).parent
    folders = (package / SHIPPED, package.parent / "recipes")
    return {path.stem: path for folder in folders if folder.is_dir() for path in sorted(folder.glob("*.yaml"))}


def load(path: Path, overrides: Sequence[str] = ()) -> Recipe:
    """Read a recipe and apply `KEY=VALUE` overrides (dotted keys, YAML values). Raises RecipeError."""
    text, root, data = _read_yaml(path)
    if not isinstance(data, dict):
        raise RecipeError(f"{path}: expected a mapping of recipe keys, found {type(data).__name__ if text.strip() else 'nothing'}")
    for override in overrides:
        _override(data, override)
    try:
        return Recipe.model_validate(data)
    except ValidationError as error:
        raise RecipeError(_explain(error, path, root, data)) from None


def _read_yaml(path: Path) -> tuple[str, yaml.Node | None, Any]:
    try:
        text = path.read_text(encoding="utf-8")
        root = yaml.compose(text, Loader=yaml.SafeLoader)
        _refuse_duplicates(root, path)
        return text, root, yaml.safe_load(text)
    except OSError as error:
        raise RecipeError(f"{path}: cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise RecipeError(f"{path}: expected UTF-8 text, found byte {error.object[error.start]:#04x}") from error
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f"{path}:{mark.line + 1}" if mark else f"{path}"
        raise RecipeError(f"{where}: not valid YAML: {getattr(error, 'problem', None) or error}") from error


def _refuse_duplicates(node: yaml.Node | None, path: Path) -> None:
    """YAML keeps the last of two equal keys in silence; a recipe must not."""
    if isinstance(node, yaml.MappingNode):
        seen: dict[str, int] = {}
        for key, value in node.value:
            line = key.start_mark.line + 1
            if key.value in seen:
                raise RecipeError(f"{path}:{line}: key {key.value!r} stands twice (first in line {seen[key.value]}): remove one")
            seen[key.value] = line
            _refuse_duplicates(value, path)
    elif isinstance(node, yaml.SequenceNode):
        for value in node.value:
            _refuse_duplicates(value, path)


def _override(data: dict[str, Any], override: str) -> None:
    """Set one dotted key; list items are named by their index."""
    key, equals, text = override.partition("=")
    if not equals or not key:
        raise RecipeError(f"--set {override}: expected KEY=VALUE, such as sample.size=1000")
    try:
        value = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise RecipeError(f"--set {override}: the value is not valid YAML: {error}") from error
    place: Any = data
    steps = key.split(".")
    for done, step in enumerate(steps[:-1]):
        if isinstance(place, list):
            place = place[_index(place, step, override)]
            continue
        if isinstance(place.get(step), str) and steps[done] in {"source", "convert", "train"}:
            place[step] = {"use": place[step]}
        place = place.setdefault(step, {}) if place.get(step) is not None else place.__setitem__(step, {}) or place[step]
        if not isinstance(place, dict | list):
            raise RecipeError(f"--set {override}: {'.'.join(steps[: done + 1])} is a value, not a mapping")
    if isinstance(place, list):
        place[_index(place, steps[-1], override)] = value
    else:
        place[steps[-1]] = value


def _index(place: list[Any], step: str, override: str) -> int:
    if not step.isdigit() or int(step) >= len(place):
        raise RecipeError(f"--set {override}: expected an index below {len(place)}, found {step!r}")
    return int(step)


def _explain(error: ValidationError, path: Path, root: yaml.Node | None, data: dict[str, Any]) -> str:
    """One line for each thing that is wrong: file, line, key, what was expected, the nearest valid name."""
    lines = []
    for item in error.errors(include_url=False):
        loc = [step for step in item["loc"] if not (isinstance(step, str) and "[" in step)]
        line = _line(root, loc)
        message = item["msg"].removeprefix("Value error, ")
        if item["type"] == "extra_forbidden":
            message = unknown_key(loc[-1], _valid_keys(loc[:-1], data))
        elif item["type"] == "missing":
            message = "is missing"
        elif not isinstance(item.get("input"), dict | list) and item["type"] not in {"reference", "value_error", "unknown_name"}:
            message += f", found {item['input']!r}"
        where = f"{path}:{line}" if line else f"{path}"
        lines.append(f"{where}: {'.'.join(map(str, loc))}: {message}" if loc else f"{where}: {message}")
    return "\n".join(dict.fromkeys(lines))


def _line(root: yaml.Node | None, loc: Sequence[object]) -> int | None:
    """The line where the key stands, or the nearest enclosing one; None where it came from an override."""
    node, line = root, None
    for step in loc:
        for key, value in _children(node):
            if key == step:
                node, line = value, value.start_mark.line + 1
                break
        else:
            if isinstance(node, yaml.SequenceNode) or step == 0:
                continue
            return line
        line = _key_line(root, loc, line)
    return line


def _children(node: yaml.Node | None) -> Iterator[tuple[object, yaml.Node]]:
    if isinstance(node, yaml.MappingNode):
        yield from ((key.value, value) for key, value in node.value)
    elif isinstance(node, yaml.SequenceNode):
        yield from enumerate(node.value)


def _key_line(root: yaml.Node | None, loc: Sequence[object], default: int) -> int:
    """A block value starts below its key: point at the key."""
    node, line = root, default
    for step in loc:
        if not isinstance(node, yaml.MappingNode):
            matches = [value for key, value in _children(node) if key == step]
            node = matches[0] if matches else node
            continue
        for key, value in node.value:
            if key.value == str(step):
                node, line = value, key.start_mark.line + 1
                break
        else:
            break
    return line


def _valid_keys(loc: Sequence[object], data: dict[str, Any]) -> set[str]:
    """The keys that are valid at a place of the recipe, as far as its static schema knows."""
    del data
    model: Any = Recipe
    for step in loc:
        if not (isinstance(model, type) and issubclass(model, BaseModel)):
            return set()
        if isinstance(step, int):
            continue
        field = model.model_fields.get(str(step))
        if field is None:
            continue
        inner = [part for part in _models_in(field.annotation)]
        model = inner[0] if inner else None
    return known_keys(model) if isinstance(model, type) and issubclass(model, BaseModel) else set()


def _models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    """The models that an annotation mentions, such as Condition in `dict[str, Condition]`."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for inner in getattr(annotation, "__args__", ()):
        yield from _models_in(inner)


def json_schema() -> dict[str, Any]:
    """The recipe's JSON schema, with the options of every plugin that is installed."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **Recipe.model_json_schema()}
