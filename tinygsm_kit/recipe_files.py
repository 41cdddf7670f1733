"""Recipes as files: found by path or name, read from YAML with overrides, wrong ones explained by file, line and key."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ValidationError

from tinygsm_kit.recipe import Recipe, RecipeError
from tinygsm_kit.references import known_keys, unknown_key

SHIPPED = "shipped_recipes"
OUR_WORDS = {"reference", "plugin", "value_error", "unknown_name", "reserved"}
"""Types of error whose message says already what was found."""


def find_recipe(name: str) -> Path:
    """The file: a path, or the name of a recipe that ships with the package."""
    path = Path(name)
    if path.is_file():
        return path
    shipped = shipped_recipes()
    if path.stem in shipped and path.parent.name in ("", "recipes"):
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
    root, data = _read_yaml(path)
    if not isinstance(data, dict):
        raise RecipeError(
            f"{path}: expected a mapping of recipe keys, found {'nothing' if data is None else type(data).__name__}"
        )
    for override in overrides:
        _override(data, override)
    try:
        return Recipe.model_validate(data, context={"folder": path.parent})
    except ValidationError as error:
        raise RecipeError(_explain(error, path, root)) from None


def _read_yaml(path: Path) -> tuple[yaml.Node | None, Any]:
    try:
        text = path.read_text(encoding="utf-8")
        root = yaml.compose(text, Loader=yaml.SafeLoader)
        _refuse_duplicates(root, path)
        return root, yaml.safe_load(text)
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
                raise RecipeError(
                    f"{path}:{line}: key {key.value!r} stands twice (first in line {seen[key.value]}): remove one"
                )
            seen[key.value] = line
            _refuse_duplicates(value, path)
    elif isinstance(node, yaml.SequenceNode):
        for value in node.value:
            _refuse_duplicates(value, path)


def _override(data: dict[str, Any], override: str) -> None:
    """Set one dotted key; items of a list are named by their index, and a plugin given by its name alone takes options."""
    key, equals, text = override.partition("=")
    if not equals or not key:
        raise RecipeError(f"--set {override}: expected KEY=VALUE, such as sample.size=1000")
    try:
        value = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise RecipeError(f"--set {override}: the value is not valid YAML: {error}") from error
    *path, last = key.split(".")
    place: Any = data
    for step in path:
        place = _step_into(place, step, override)
    if isinstance(place, list):
        place[_index(place, last, override)] = value
    else:
        place[last] = value


def _step_into(place: Any, step: str, override: str) -> Any:
    if isinstance(place, list):
        step_to: Any = _index(place, step, override)
    else:
        step_to = step
        if place.get(step) is None:
            place[step] = {}
    below = place[step_to]
    if isinstance(below, str):
        below = place[step_to] = {"use": below}
    if not isinstance(below, dict | list):
        raise RecipeError(f"--set {override}: expected a mapping or a list at {step!r}, found {below!r}")
    return below


def _index(place: list[Any], step: str, override: str) -> int:
    if not step.isdigit() or int(step) >= len(place):
        raise RecipeError(f"--set {override}: expected an index below {len(place)}, found {step!r}")
    return int(step)


def _explain(error: ValidationError, path: Path, root: yaml.Node | None) -> str:
    """One line for each thing that is wrong: file, line, key, what was expected, the nearest valid name."""
    lines = []
    for item in error.errors(include_url=False):
        loc = [step for step in item["loc"] if not (isinstance(step, str) and "[" in step)]
        line = _line(root, loc)
        message = item["msg"].removeprefix("Value error, ")
        if item["type"] == "extra_forbidden":
            message = unknown_key(loc[-1], _valid_keys(loc[:-1]))
        elif item["type"] == "missing":
            message = "is missing"
        elif not isinstance(item.get("input"), dict | list) and item["type"] not in OUR_WORDS:
            message += f", found {item['input']!r}"
        where = f"{path}:{line}" if line else f"{path}"
        lines.append(f"{where}: {'.'.join(map(str, loc))}: {message}" if loc else f"{where}: {message}")
    return "\n".join(dict.fromkeys(lines))


def _line(root: yaml.Node | None, loc: Sequence[object]) -> int | None:
    """The line where the key stands, or the nearest one around it; None where it came from an override."""
    node, line = root, None
    for step in loc:
        if isinstance(node, yaml.MappingNode):
            match = next(((key, value) for key, value in node.value if key.value == str(step)), None)
            if match is not None:
                line, node = match[0].start_mark.line + 1, match[1]
            elif not isinstance(step, int):  # an index may stand for the only item of a list that the recipe left out
                return line
        elif isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
            node = node.value[step]
            line = node.start_mark.line + 1
        else:
            return line
    return line


def _valid_keys(loc: Sequence[object]) -> set[str]:
    """The keys that the recipe's schema has at a place; steps that name conditions or indices lead no deeper."""
    model: type[BaseModel] = Recipe
    for step in loc:
        field = model.model_fields.get(str(step))
        inner = next(_models_in(field.annotation), None) if field else None
        model = inner or model
    return known_keys(model)


def _models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    """The models that an annotation mentions, such as Condition in `dict[str, Condition]`."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for inner in getattr(annotation, "__args__", ()):
        yield from _models_in(inner)
