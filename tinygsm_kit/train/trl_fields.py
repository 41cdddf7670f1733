"""The fields of TRL's SFTConfig, read from its source without importing it.

Importing trl takes seconds and pulls torch; checking a recipe must not. So the class bodies of `SFTConfig` and its bases are
parsed where they are installed, and a misspelled key is an error before anything runs.
"""

from __future__ import annotations

import ast
import functools
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal

_SOURCES = (
    ("transformers", "training_args.py", "TrainingArguments"),
    ("trl", "trainer/base_config.py", "_BaseConfig"),
    ("trl", "trainer/sft_config.py", "SFTConfig"),
)
_ENUMS = (
    ("transformers", "trainer_utils.py"),
    ("transformers", "training_args.py"),
)
_EVERYWHERE = frozenset(
    ("model_type", "output_attentions", "tie_word_embeddings", "bos_token_id", "eos_token_id", "pad_token_id",
     "attn_implementation", "rope_theta", "rope_scaling", "partial_rotary_factor")
)  # fmt: skip
"""Keys that every configuration accepts without declaring them, older spellings that it converts among them."""
_SIMPLE: dict[str, Any] = {"int": int, "float": float, "bool": bool, "str": str, "dict": dict, "list": list, "None": None}


@dataclass(frozen=True)
class Field:
    """One field: its type as pydantic checks it, and the author's help text."""

    type: Any
    help: str


@functools.cache
def sft_fields() -> dict[str, Field]:
    """Every field that `trl.SFTConfig` accepts, those of transformers' TrainingArguments included."""
    enums = _enum_values()
    fields: dict[str, Field] = {}
    for package, path, name in _SOURCES:
        for node in _class_body(_parse(package, path), name):
            if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and not node.target.id.startswith("_"):
                known = fields.get(node.target.id)
                text = _metadata(node.value, "help")
                fields[node.target.id] = Field(_field_type(node, enums), text or (known.help if known else ""))
    return fields


@functools.cache
def trackers() -> tuple[str, ...]:
    """What `report_to` may name: experiment trackers that the installed transformers knows, and `all` or `none` of them."""
    for node in _parse("transformers", "integrations/integration_utils.py").body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "INTEGRATION_TO_CALLBACK":
            keys = node.value.keys if isinstance(node.value, ast.Dict) else []
            return (*(key.value for key in keys if isinstance(key, ast.Constant) and isinstance(key.value, str)), "all", "none")
    return ()


@functools.cache
def _parse(package: str, path: str) -> ast.Module:
    return ast.parse((_location(package) / path).read_text(encoding="utf-8"))


def _location(package: str) -> Path:
    """Where a package is installed; `find_spec` of a top-level name does not execute it."""
    spec = find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise ImportError(f"{package} is not installed: training needs it (pip install tinygsm-kit)")
    return Path(spec.submodule_search_locations[0])


def config_fields(model_type: str) -> frozenset[str] | None:
    """The fields of a model type's configuration, aliases such as `hidden_size` for `n_embd` included.

    None where transformers has no module of that name, so that nothing can be said without importing it.
    """
    name = model_type.replace("-", "_")
    path = f"models/{name}/configuration_{name}.py"
    if not (_location("transformers") / path).is_file():
        return None
    classes = [node for node in _parse("transformers", path).body if isinstance(node, ast.ClassDef)]
    own = [node for node in classes if _constant(node, "model_type") == model_type]
    fields: set[str] = set()
    for node in own:
        fields |= _declared(node.body) | set(_constant(node, "attribute_map") or ())
    base = _class_body(_parse("transformers", "configuration_utils.py"), "PreTrainedConfig")
    return frozenset(fields | _declared(base) | _EVERYWHERE)


def model_types() -> list[str]:
    """Model types that have a configuration module in the installed transformers."""
    return sorted(
        path.name for path in (_location("transformers") / "models").iterdir() if path.is_dir() and path.name[0] != "_"
    )


def _declared(body: list[ast.stmt]) -> set[str]:
    """Names of annotated fields, and of `__init__`'s and `__post_init__`'s own arguments."""
    names = {
        node.target.id
        for node in body
        if isinstance(node, ast.AnnAssign)
        and isinstance(node.target, ast.Name)
        and not ast.unparse(node.annotation).startswith("ClassVar")
    }
    for node in body:
        if isinstance(node, ast.FunctionDef) and node.name in ("__init__", "__post_init__"):
            names |= {argument.arg for argument in (*node.args.args, *node.args.kwonlyargs) if argument.arg != "self"}
    return names


def _constant(node: ast.ClassDef, name: str) -> Any:
    for item in node.body:
        if isinstance(item, ast.Assign) and isinstance(item.targets[0], ast.Name) and item.targets[0].id == name:
            return ast.literal_eval(item.value)
    return None


def _class_body(module: ast.Module, name: str) -> list[ast.stmt]:
    for node in module.body:
        if isinstance(node, ast.ClassDef) and node.name == name:
            return node.body
    return []


def _enum_values() -> dict[str, tuple[str, ...]]:
    """Values of the string enums that annotate fields, such as `SchedulerType`."""
    values: dict[str, tuple[str, ...]] = {}
    for package, path in _ENUMS:
        for node in _parse(package, path).body:
            if isinstance(node, ast.ClassDef) and any(ast.unparse(base).endswith("Enum") for base in node.bases):
                members = tuple(
                    item.value.value
                    for item in node.body
                    if isinstance(item, ast.Assign)
                    and isinstance(item.value, ast.Constant)
                    and isinstance(item.value.value, str)
                )
                values[node.name] = members
    return values


def _field_type(node: ast.AnnAssign, enums: dict[str, tuple[str, ...]]) -> Any:
    choices = _metadata(node.value, "choices")
    if choices:
        return Literal[tuple(choices)]
    parts = list(_union(node.annotation))
    for part in parts:
        if isinstance(part, ast.Name) and enums.get(part.id):
            return Literal[enums[part.id]]
    types = [_simple(part) for part in parts]
    if Any in types:
        return Any
    result = types[0]
    for other in types[1:]:
        result = result | other
    return result


def _union(annotation: ast.expr) -> Iterator[ast.expr]:
    if isinstance(annotation, ast.BinOp) and isinstance(annotation.op, ast.BitOr):
        yield from _union(annotation.left)
        yield from _union(annotation.right)
    else:
        yield annotation


def _simple(annotation: ast.expr) -> Any:
    if isinstance(annotation, ast.Constant) and annotation.value is None:
        return None
    if isinstance(annotation, ast.Subscript):
        annotation = annotation.value
    return _SIMPLE.get(annotation.id, Any) if isinstance(annotation, ast.Name) else Any


def _metadata(value: ast.expr | None, key: str) -> Any:
    """`key` of the `metadata={...}` that a dataclass field was declared with, where it is a literal."""
    if not isinstance(value, ast.Call):
        return None
    for keyword in value.keywords:
        if keyword.arg == "metadata" and isinstance(keyword.value, ast.Dict):
            for name, item in zip(keyword.value.keys, keyword.value.values, strict=True):
                if isinstance(name, ast.Constant) and name.value == key:
                    try:
                        return ast.literal_eval(item)
                    except ValueError:
                        return None
    return None
