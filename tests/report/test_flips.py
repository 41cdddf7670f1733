"""What went wrong is told from the response, and believed from the evaluation's metrics."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tinygsm_kit.report import flips, observations
from tinygsm_kit.report.results import build_results
from tinygsm_kit.report.rundir import Sample, read_run

STOPPED = {"exact_match": 0.0, "exact_match_flexible": 0.0, "stopped": 1.0}


def sample(response: str, **metrics: float) -> Sample:
    return Sample(0, "How many?", "12", response, {**STOPPED, **metrics})


@pytest.mark.parametrize(
    ("response", "metrics", "kind"),
    [
        ("3 × 4 = 13.\n#### 13", {}, "arithmetic"),
        ("3 + 4 = 7.\n#### 7", {}, "plan"),
        ("<MUL_3_4_12>. 12 + 1 = 13.\n#### 13", {}, "plan"),
        ("<MUL_3_4_12>. 12 + 1 = 14.\n#### 14", {}, "arithmetic"),
        ("So it is 12.", {"exact_match_flexible": 1.0}, "format"),
        ("It is many.", {}, "format"),
        ("3 × 4 =", {"stopped": 0.0}, "truncated"),
        ("Then 5 + 0 = 5.\n" * 6, {"stopped": 0.0}, "repetition"),
        ("and and and and and and and and ", {"stopped": 0.0}, "repetition"),
        ("3 + 4 = 7.\n#### 7", {"repetition": 1.0}, "repetition"),
        ("Then 5 + 0 = 5.\n" * 6, {"stopped": 0.0, "repetition": 0.0}, "truncated"),
        ("3 + 4 = 7.\n#### 7", {"true_equations": 0.5}, "arithmetic"),
    ],
)
def test_what_went_wrong(response: str, metrics: dict[str, float], kind: str) -> None:
    assert flips.what_went_wrong(sample(response, **metrics)) == kind


def test_every_flip_is_listed_once(build_run: Callable[..., Path]) -> None:
    run = read_run(build_run(items=150))
    found = list(flips.flips(run))
    rows = {row["task"]: row for row in build_results(run)["comparisons"] if row["metric"] == "exact_match"}
    for task in ("gsm8k_tgsm", "mul_table", "mul_multidigit", "addition"):
        assert sum(flip.task == task and flip.gained for flip in found) == rows[task]["wins"]
        assert sum(flip.task == task and not flip.gained for flip in found) == rows[task]["losses"]
    counts = flips.count_flips(found)
    assert sum(row["gained"] + row["lost"] for row in counts) == len(found)


def test_the_answer_given_in_a_fact_token() -> None:
    assert observations.given_answer(sample("So <MUL_6_9_54>.")) == "54"
    assert observations.given_answer(sample("It is 1,234.\n#### 1,234")) == "1234"
    assert observations.given_answer(sample("I do not know")) == ""


@pytest.mark.parametrize(
    ("text", "facts"),
    [
        ("7 × 8 = 56 and 8*7=56", {(7, 8): 2}),
        ("<MUL_6_9_54>.", {(6, 9): 1}),
        ("17 × 8 = 136, 7 × 18 = 126, 2.5 × 4 = 10, 3 × 4 × 5 = 60, 7 × 8 = 560", {}),
        ("$7 × 8 = $56.", {(7, 8): 1}),
    ],
)
def test_stated_facts(text: str, facts: dict[tuple[int, int], int], tmp_path: Path) -> None:
    from tinygsm_kit import parts

    row = {"problem_id": "0" * 16, "question": "?", "text": text, "tokens": 0}
    parts.write_part(parts.part_path(tmp_path / "inject/a", 0), [row], parts.INJECTED_COLUMNS)
    (tmp_path / "recipe.yaml").write_text("conditions: {a: {}}")
    assert observations.exposures(read_run(tmp_path), "a") == facts


def test_exposures_in_bins() -> None:
    cells = {(a, b): observations.Cell(a, b, right=int(a > 2), asked=1) for a in range(1, 10) for b in range(1, 10)}
    rows = observations.exposure_bins(cells, {(a, b): 10**a for a in range(2, 10) for b in range(a, 10)})
    assert [(row["exposures"], row["n"]) for row in rows] == [
        ("0", 17), ("100–999", 15), ("1,000–9,999", 13), ("10,000–99,999", 11), ("100,000+", 25),
    ]  # fmt: skip
    assert [row["value"] for row in rows][1:] == [7 / 15, 1.0, 1.0, 1.0]


def test_long_logs_are_thinned_and_stages_follow_one_another(build_run: Callable[..., Path]) -> None:
    run = read_run(build_run(items=5))
    run.logs = {"baseline": [{"step": s, "loss": float(s)} for s in (10, 20, 10, 20)] + [{"step": 20, "eval_loss": 1.0}]}
    assert observations.loss_curves(run) == {"baseline": [(10.0, 10.0), (20.0, 20.0), (30.0, 10.0), (40.0, 20.0)]}
    assert observations.thin([(float(x), 1.0) for x in range(1_000)], 10) == [(100.0 * i + 49.5, 1.0) for i in range(10)]


def test_histogram_shares() -> None:
    edges, shares = observations.histogram({"a": [1, 1, 2, 3], "b": [2, 2]})
    assert edges == [0.5, 1.5, 2.5, 3.5]
    assert shares == {"a": [0.5, 0.25, 0.25], "b": [0.0, 1.0, 0.0]}
