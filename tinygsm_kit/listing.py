"""What is there, as tables: the plugins that are installed, the ledger of paid answers."""

from __future__ import annotations

import time
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


def ledger_table() -> str:
    """The ledger at a glance: where it is, its size, answers and dollars by model, dollars by run."""
    from tinygsm_kit.convert.ledger_report import report

    found = report()
    lines = [f"{found.path}: {found.bytes / 2**20:.1f} MiB, {sum(found.answers.values()):,} answers"]
    for model in sorted({*found.answers, *found.by_model}):
        lines.append(f"  {model or 'cut off'}: {found.answers.get(model, 0):,} answers, ${found.by_model.get(model, 0.0):.4f}")
    for run in found.runs:
        day = time.strftime("%Y-%m-%d %H:%M", time.localtime(run.created))
        lines.append(f"  {day}  {run.label}  ${run.usd:.4f}")
    return "\n".join(lines)
