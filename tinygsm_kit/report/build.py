"""Build a run's report: report.json, report.md, figures/, cards/ and index.html, each written whole or not at all."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tinygsm_kit.progress import Progress, Silent
from tinygsm_kit.report import flips, observations
from tinygsm_kit.report.cards import dataset_card, model_card
from tinygsm_kit.report.figures import draw_all
from tinygsm_kit.report.files import write_whole
from tinygsm_kit.report.ladder import build_ladder
from tinygsm_kit.report.markdown import render_markdown
from tinygsm_kit.report.page import render_page
from tinygsm_kit.report.results import build_results, check_targets
from tinygsm_kit.report.rundir import ReportError, Run, read_run
from tinygsm_kit.report.verdict import headline

__all__ = ["ReportError", "build", "build_report"]


def build(run: Path, progress: Progress | None = None) -> Path:
    """(Re)build the report of a run directory and return the path of its page. Raises ReportError where there is no run."""
    found, folder = read_run(run), run / "report"
    with (progress or Silent()).task("report", total=4) as task:
        report = build_report(found)
        write_whole(folder / "report.json", json.dumps(report, indent=1, ensure_ascii=False, allow_nan=False) + "\n")
        write_whole(folder / "report.md", render_markdown(report))
        task.advance()
        draw_all(found, report, folder / "figures")
        task.advance()
        for condition in found.conditions:
            write_whole(folder / "cards" / f"{condition}.md", model_card(found, condition, report))
        write_whole(folder / "cards" / "dataset.md", dataset_card(found))
        task.advance()
        write_whole(folder / "index.html", render_page(found, report))
        task.advance()
    return folder / "index.html"


def build_report(run: Run) -> dict[str, Any]:
    """Everything that report.json holds: the contract's `conditions` and `comparisons`, and what the page shows around them."""
    results = build_results(run)
    disagreements = list(flips.flips(run))
    exposures = {name: observations.exposures(run, name) for name in run.conditions}
    tables = {name: observations.multiplication_table(run, name) for name in run.conditions}
    return {
        **results,
        "headline": headline(results),
        "targets": check_targets(run, results),
        "differs": admitted_differences(run),
        "injection": {name: injection.as_json() for name, injection in observations.injections(run).items()},
        "exposures": {
            name: observations.exposure_bins(tables[name], seen) for name, seen in exposures.items() if seen and tables[name]
        },
        "facts": {name: {f"{a}x{b}": seen[a, b] for a, b in sorted(seen)} for name, seen in exposures.items() if seen},
        "ladder": build_ladder(run),
        "flips": flips.count_flips(disagreements),
        "versions": {label: run.evaluations[label].versions for label in run.labels},
    }


def admitted_differences(run: Run) -> list[str]:
    """In what the conditions differ beside the declared factor: what the run found, else what its recipe admits."""
    if "admitted" in run.manifest:
        return [str(sentence) for sentence in run.manifest["admitted"] or []]
    named = [str(key) for section in (*run.compare, run.recipe) for key in section.get("differs") or []]
    return list(dict.fromkeys(named))
