"""What is installed, as a table."""

from __future__ import annotations

from importlib import metadata
from typing import Any

from tinygsm_kit.plugins import HOOKS, Entry, host


def plugins_table() -> str:
    """Every plugin by kind: name, version, distribution, and its options with their defaults."""
    lines = []
    for kind in HOOKS:
        entries = [host().find(kind, name) for name in host().names(kind)]
        if not entries:
            continue
        lines.append(f"{kind}s")
        for entry in entries:
            implementation = entry.load()
            lines.append(f"  {entry.name}  version {implementation.version}, {_distribution(entry)}")
            lines.extend(f"      {line}" for line in _options(implementation.Options))
    return "\n".join(lines)


def _distribution(entry: Entry) -> str:
    try:
        return f"{entry.distribution} {metadata.version(entry.distribution)}"
    except metadata.PackageNotFoundError:
        return entry.distribution


def _options(model: Any) -> list[str]:
    """Name, default and description; options without a description of ours are TRL's and only counted."""
    described = []
    others = 0
    for name, field in model.model_fields.items():
        if field.json_schema_extra and dict(field.json_schema_extra).get("upstream"):
            others += 1
            continue
        default = "required" if field.is_required() else repr(field.get_default(call_default_factory=True))
        described.append(f"{name} = {default}" + (f"  {field.description}" if field.description else ""))
    return described + ([f"… and {others} fields of the library's own configuration"] if others else [])
