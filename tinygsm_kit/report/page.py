"""index.html: one page that needs nothing but itself. What a model wrote is never trusted as markup."""

from __future__ import annotations

import base64
import hashlib
import json
from pathlib import Path
from typing import Any

from tinygsm_kit.report import flips, ladder, pictures, provenance, stages, tables
from tinygsm_kit.report.payload import colours, payload
from tinygsm_kit.report.rundir import Run
from tinygsm_kit.report.verdict import number, p_text, points

TEMPLATES = Path(__file__).parent / "templates"
METRIC_NAMES = {
    "exact_match": "exact match", "exact_match_flexible": "flexible match", "response_tokens": "tokens a response",
    "stopped": "stopped by itself", "fact_tokens": "fact tokens a response", "fact_tokens_right": "of them right",
    "fact_tokens_wrong": "of them wrong", "fact_tokens_missed": "missed", "true_equations": "true equations",
    "answer_format": "answer in form",
}  # fmt: skip


def render_page(run: Run, report: dict[str, Any]) -> str:
    """The whole page as text."""
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        undefined=jinja2.StrictUndefined,
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"points": points, "number": number, "p": p_text, "metric": metric_name, "thousands": thousands}
    style, script = ((TEMPLATES / name).read_text("utf-8") for name in ("page.css", "page.js"))
    colour = colours(run)
    return environment.get_template("page.html.j2").render(
        run=run,
        report=report,
        style=style,
        script=script,
        script_hash=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
        data=embed(payload(run)),
        colour=colour,
        ruler=pictures.headline_ruler(report),
        pictures=list(pictures.pictures(run, report, colour)),
        stage_pictures=list(pictures.after_stages(report, colour)),
        stage_rows=stages.table(report),
        ladder_pictures=list(pictures.of_ladder(report, colour)),
        ladder_rows=ladder.table(report),
        ladder_sentences=ladder.sentences(report),
        ladder_note=ladder.NOTE,
        doublings=ladder.doublings(report),
        scores=tables.scores(run, report, colour),
        others=tables.other_metrics(run, report),
        comparisons=tables.comparisons(report, colour),
        tables=tables.multiplication_tables(run, report),
        flip_counts=tables.flip_counts(report),
        kinds=flips.KIND_MEANING,
        examples=tables.sample_answers(run, report),
        responses=sum(len(task.samples) for e in run.evaluations.values() for task in e.tasks.values()),
        stages=provenance.stages(run),
        reasons=provenance.rejections(run),
        overlaps=provenance.overlaps(run),
        cost=provenance.cost(run),
        provenance=provenance.provenance(run),
    )


def embed(data: object) -> str:
    """JSON that cannot leave its script element, whatever the texts in it say."""
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    for mark in "<>&\u2028\u2029":
        text = text.replace(mark, f"\\u{ord(mark):04x}")
    return text


def metric_name(metric: str) -> str:
    """A metric's name for people."""
    return METRIC_NAMES.get(metric, metric.replace("_", " "))


def thousands(value: object) -> str:
    """An integer with separators; anything else as it is."""
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else "" if value is None else str(value)
