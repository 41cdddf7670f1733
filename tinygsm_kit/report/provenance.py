"""What the manifest says: rows by stage, rejections by reason, time and money, versions."""

from __future__ import annotations

import re
from typing import Any

from tinygsm_kit.report.rundir import Run

Json = dict[str, Any]
COST_WORD = re.compile(r"(?:^|_)(?:usd|dollars?|costs?|requests?|(?:input|output|cached|reasoning)_tokens)(?:_|$)")
"""What a paid stage counts in the manifest: `requests`, `input_tokens`, `usd`."""


def stages(run: Run) -> list[Json]:
    """Rows in, out and rejected, seconds and fingerprint of each stage, in the order they ran."""
    return [
        {"name": name, "rows_in": stage.get("rows_in"), "rows_out": stage.get("rows_out"), "seconds": stage.get("seconds"),
         "rejected": sum((stage.get("rejected") or {}).values()), "fingerprint": str(stage.get("fingerprint") or ""),
         "not_drawn": (stage.get("extra") or {}).get("not_drawn") or 0}
        for name, stage in (run.manifest.get("stages") or {}).items()
    ]  # fmt: skip


def rejections(run: Run) -> list[Json]:
    """Rejected rows by stage and reason, the most frequent first."""
    rows = [
        {"stage": name, "reason": reason, "rows": count, "share": count / max(stage.get("rows_in") or 0, 1)}
        for name, stage in (run.manifest.get("stages") or {}).items()
        for reason, count in (stage.get("rejected") or {}).items()
    ]
    return sorted(rows, key=lambda row: -row["rows"])


def overlaps(run: Run) -> list[Json]:
    """Decontamination: rows that share an n-gram with an evaluation set, by set and length of the n-gram."""
    return [
        {"set": name, "words": int(words), "rows": rows}
        for stage in (run.manifest.get("stages") or {}).values()
        for name, counts in ((stage.get("extra") or {}).get("overlap") or {}).items()
        for words, rows in sorted(counts.items(), key=lambda entry: -int(entry[0]))
    ]


def cost(run: Run) -> list[Json]:
    """Time and, for paid work, requests, tokens and dollars."""
    found = run.manifest.get("stages") or {}
    if not found:
        return []
    rows = [{"name": "time, all stages", "value": duration(sum(stage.get("seconds") or 0 for stage in found.values()))}]
    for name, stage in found.items():
        for key, value in (stage.get("extra") or {}).items():
            if isinstance(value, int | float) and COST_WORD.search(key.lower()):
                dollars = "usd" in key.lower() or "dollar" in key.lower()
                rows.append(
                    {"name": f"{name}: {key.replace('_', ' ')}", "value": f"${value:,.2f}" if dollars else f"{value:,}"}
                )
    return rows


def duration(seconds: float) -> str:
    """`3 h 05 min`, `4 min 10 s`, `12 s`."""
    whole = round(seconds)
    hours, minutes, rest = whole // 3600, whole // 60 % 60, whole % 60
    return f"{hours} h {minutes:02d} min" if hours else f"{minutes} min {rest:02d} s" if minutes else f"{rest} s"


def provenance(run: Run) -> list[Json]:
    """Where the numbers come from: recipe, seed, commit, versions of the software and of the tasks."""
    manifest = run.manifest
    rows: list[tuple[str, object]] = [
        ("recipe", run.name),
        ("seed", manifest.get("seed", run.recipe.get("seed"))),
        ("git commit", (manifest.get("git_commit") or "")[:12] or None),
        ("tinygsm-kit", manifest.get("kit")),
        *sorted((manifest.get("versions") or {}).items()),
    ]
    measured: dict[str, str] = {}
    for evaluation in run.evaluations.values():
        for key, value in evaluation.versions.items():
            measured.setdefault(key.removesuffix("_version"), value)
        measured |= {f"task {name}": f"version {task.version}" for name, task in evaluation.tasks.items() if task.version}
    known = {name for name, _ in rows}
    rows += [(name, value) for name, value in measured.items() if name not in known]
    return [{"name": name, "value": str(value)} for name, value in rows if value is not None]
