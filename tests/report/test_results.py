"""report.json: lm-eval's numbers to the last bit, comparisons as the recipe says, verdicts in words."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tinygsm_kit.report.build import build_report
from tinygsm_kit.report.markdown import render_markdown
from tinygsm_kit.report.page import render_page
from tinygsm_kit.report.results import build_results, check_targets, pairs
from tinygsm_kit.report.rundir import ReportError, metric_names, read_run
from tinygsm_kit.report.verdict import effort, headline, outcome, sentence

Json = dict[str, Any]
BuildRun = Callable[..., Path]
CELL = {"value", "low", "high", "n"}
ROW = {"task", "metric", "baseline", "treatment", "difference", "low", "high", "p_value", "test", "n", "discordant",
       "minimum_detectable"}  # fmt: skip


def set_answers(run: Path, condition: str, task: str, right: set[int], n: int) -> None:
    """Rewrite a task's samples and results so that just these documents are right."""
    path = run / "eval" / condition / f"samples_{task}.jsonl"
    rows = [json.loads(line) for line in path.read_text("utf-8").splitlines()][:n]
    for row in rows:
        row["exact_match"] = float(row["doc_id"] in right)
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    results = json.loads((run / "eval" / condition / "results.json").read_text("utf-8"))
    results["results"][task]["exact_match,none"] = len(right) / n
    (run / "eval" / condition / "results.json").write_text(json.dumps(results), encoding="utf-8")


def test_every_value_is_that_of_lm_eval(build_run: BuildRun) -> None:
    run = build_run(items=90, seeds=(43,))
    report = json.loads(json.dumps(build_report(read_run(run)), allow_nan=False))
    assert set(report["conditions"]) == {"baseline", "baseline@43", "mul_tokens", "mul_tokens@43"}
    compared = 0
    for label, condition in report["conditions"].items():
        results = json.loads((run / "eval" / label / "results.json").read_text("utf-8"))["results"]
        assert (
            set(condition["tasks"]) == set(results) == {"gsm8k_tgsm", "mul_table", "mul_multidigit", "addition", "mul_probes"}
        )
        for task, metrics in condition["tasks"].items():
            for metric, cell in metrics.items():
                assert set(cell) == CELL
                assert cell["value"] == results[task][f"{metric},none"]
                assert cell["low"] <= cell["value"] <= cell["high"]
                compared += 1
    assert compared == 4 * 5 * 5
    assert report["conditions"]["baseline"]["tasks"]["mul_probes"]["exact_match"]["n"] == 281


def test_the_shape_of_a_comparison(build_run: BuildRun) -> None:
    results = build_results(read_run(build_run(items=60)))
    assert results["comparisons"]
    for row in results["comparisons"]:
        assert set(row) >= ROW
        assert row["p_value"] <= row["p_holm"] <= 1
        assert row["low"] <= row["difference"] <= row["high"]
    tests = {(row["task"], row["metric"]): row["test"] for row in results["comparisons"]}
    assert tests["gsm8k_tgsm", "exact_match"] == "mcnemar_exact"
    assert tests["mul_probes", "exact_match"] == "mcnemar_exact"
    assert tests["gsm8k_tgsm", "response_tokens"] == "paired_permutation"
    assert {row["family_size"] for row in results["comparisons"] if row["family"] == "primary"} == {5}


def test_nine_of_500_against_twelve_is_no_evidence(build_run: BuildRun) -> None:
    run = build_run(items=500)
    set_answers(run, "baseline", "gsm8k_tgsm", set(range(9)), 500)
    set_answers(run, "mul_tokens", "gsm8k_tgsm", {0, 1, 2, *range(100, 109)}, 500)
    results = build_results(read_run(run))
    row = next(r for r in results["comparisons"] if r["task"] == "gsm8k_tgsm" and r["metric"] == "exact_match")
    assert (row["wins"], row["losses"], row["discordant"], row["n"]) == (9, 6, 15, 500)
    assert row["difference"] == pytest.approx(0.006)
    assert row["p_value"] == pytest.approx(0.6072, abs=1e-4)
    assert outcome(row) == "none"
    assert sentence(row) == (
        "No evidence of a difference between mul_tokens and baseline on gsm8k_tgsm: +0.6 points, 95 % interval −1.0 to 2.3; "
        "this run could have seen 2.2."
    )
    assert 6_000 < row["items_needed"] < 7_500
    assert effort(row).startswith("A true difference of 0.6 points would take about 6,")
    assert effort(row).endswith("questions to be found with 80 % probability; this run asked 500.")
    assert headline(results)["outcome"] == "none"


def test_a_clear_gain_is_evidence(build_run: BuildRun) -> None:
    run = build_run(items=200)
    set_answers(run, "baseline", "gsm8k_tgsm", set(range(40)), 200)
    set_answers(run, "mul_tokens", "gsm8k_tgsm", set(range(80)), 200)
    top = headline(build_results(read_run(run)))
    assert top["outcome"] == "better"
    assert top["sentence"].startswith("mul_tokens is better than baseline on gsm8k_tgsm: +20.0 points, 95 % interval ")
    assert top["effort"] == ""


def test_what_holm_takes_back_is_not_yet_evidence() -> None:
    row = {"p_value": 0.03, "p_holm": 0.12, "kind": "share", "difference": 0.02, "low": 0.001, "high": 0.04, "task": "t",
           "treatment": "b", "baseline": "a", "minimum_detectable": 0.03, "family_size": 4}  # fmt: skip
    assert outcome(row) == "unsure"
    assert sentence(row) == (
        "Not yet evidence: b against a on t is +2.0 points, 95 % interval 0.1 to 4.0 (p = 0.030 alone, p = 0.12 among 4 "
        "comparisons); this run could have seen 3.0."
    )


def test_targets_are_met_missed_or_open(build_run: BuildRun) -> None:
    goals = {"gsm8k_tgsm": {"baseline": 0.1, "mul_tokens": 0.5, "difference": 0.19}, "mul_table": {"nobody": 0.5}}
    run = build_run(items=200, targets=goals)
    set_answers(run, "baseline", "gsm8k_tgsm", set(range(40)), 200)
    set_answers(run, "mul_tokens", "gsm8k_tgsm", set(range(80)), 200)
    found = read_run(run)
    targets = check_targets(found, build_results(found))
    assert [(t["name"], t["verdict"], t["reached"]) for t in targets] == [
        ("baseline", "met", True), ("mul_tokens", "missed", False), ("difference", "open", True), ("nobody", "open", None),
    ]  # fmt: skip


def test_several_seeds_are_one_comparison(build_run: BuildRun) -> None:
    run = build_run(items=150, seeds=(43, 44))
    results = build_results(read_run(run))
    row = next(r for r in results["comparisons"] if r["task"] == "gsm8k_tgsm" and r["metric"] == "exact_match")
    assert (row["test"], row["seeds"], row["n"], len(row["per_seed"])) == ("crossed_t", 3, 150, 3)
    values = {label: c["tasks"]["gsm8k_tgsm"]["exact_match"]["value"] for label, c in results["conditions"].items()}
    expected = [values[f"mul_tokens{seed}"] - values[f"baseline{seed}"] for seed in ("", "@43", "@44")]
    assert row["per_seed"] == pytest.approx(expected)
    assert row["difference"] == pytest.approx(sum(expected) / 3)
    together = results["seeds"]["mul_tokens"]["gsm8k_tgsm"]["exact_match"]
    assert together["value"] == pytest.approx(sum(values[f"mul_tokens{seed}"] for seed in ("", "@43", "@44")) / 3)


def test_only_the_same_question_is_a_pair(build_run: BuildRun) -> None:
    run = build_run(items=50)
    path = run / "eval/mul_tokens/samples_gsm8k_tgsm.jsonl"
    rows = [json.loads(line) for line in path.read_text("utf-8").splitlines()][:45]
    rows[0]["doc"]["question"] = "Another question?"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    row = next(r for r in build_results(read_run(run))["comparisons"] if r["task"] == "gsm8k_tgsm")
    assert (row["n"], row["unpaired"]) == (44, 6)


def test_the_recipe_says_what_is_compared(build_run: BuildRun) -> None:
    rates = {"a": 0.2, "b": 0.3, "c": 0.3}
    assert pairs(read_run(build_run(items=5, rates=rates))) == [("a", "b"), ("a", "c")]
    declared = [
        {"baseline": "b", "treatment": "c"},
        {"baseline": "a", "treatment": "c"},
        {"baseline": "a", "treatment": "gone"},
    ]
    assert pairs(read_run(build_run(items=5, rates=rates, compare=declared))) == [("b", "c"), ("a", "c")]


def test_admitted_differences_stand_in_the_report(build_run: BuildRun) -> None:
    compare = [{"baseline": "baseline", "treatment": "mul_tokens", "differs": ["train.seed"]}]
    run = build_run(items=5, compare=compare)
    assert build_report(read_run(run))["differs"] == ["train.seed"]
    manifest = json.loads((run / "manifest.json").read_text("utf-8")) | {"admitted": ["they differ in train.seed as well"]}
    (run / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    found = read_run(run)
    report = build_report(found)
    for text in (render_markdown(report), render_page(found, report)):
        assert "they differ in train.seed as well" in text


def test_names_of_metrics() -> None:
    assert metric_names(["exact_match,none", "exact_match_stderr,none", "alias"]) == {"exact_match,none": "exact_match"}
    assert metric_names(["exact_match,strict-match", "exact_match,flexible-extract"]) == {
        "exact_match,strict-match": "exact_match,strict-match", "exact_match,flexible-extract": "exact_match,flexible-extract",
    }  # fmt: skip
    assert metric_names(["acc,first"]) == {"acc,first": "acc"}


def test_metrics_that_do_not_apply_to_a_response(build_run: BuildRun) -> None:
    run = build_run(items=20)
    for condition in ("baseline", "mul_tokens"):
        folder = run / "eval" / condition
        rows = [json.loads(line) for line in (folder / "samples_addition.jsonl").read_text("utf-8").splitlines()]
        for row in rows:
            row["metrics"].append("true_equations")
            row["true_equations"] = None if row["doc_id"] % 4 else 0.5
        (folder / "samples_addition.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
        results = json.loads((folder / "results.json").read_text("utf-8"))
        results["results"]["addition"] |= {"true_equations,none": 0.5, "true_equations_stderr,none": "N/A"}
        (folder / "results.json").write_text(json.dumps(results), encoding="utf-8")
    found = build_results(read_run(run))
    assert found["conditions"]["baseline"]["tasks"]["addition"]["true_equations"] == {
        "value": 0.5,
        "low": 0.5,
        "high": 0.5,
        "n": 25,
    }


def test_no_run_and_damaged_files_say_so(build_run: BuildRun, tmp_path: Path) -> None:
    with pytest.raises(ReportError, match=r"expected a run directory with recipe\.yaml, found none"):
        read_run(tmp_path)
    run = build_run(items=5)
    samples = run / "eval/baseline/samples_addition.jsonl"
    lines = samples.read_text("utf-8").splitlines()
    samples.write_text("\n".join([lines[0], "{torn", *lines[1:]]), encoding="utf-8")
    with pytest.raises(ReportError, match=r"samples_addition\.jsonl, line 2 is not JSON"):
        read_run(run)
    samples.write_text("\n".join([*lines, '{"doc_id": 1']), encoding="utf-8")
    assert len(read_run(run).evaluations["baseline"].tasks["addition"].samples) == 100
    (run / "manifest.json").write_text("{", encoding="utf-8")
    with pytest.raises(ReportError, match=r"manifest\.json is not JSON"):
        read_run(run)
