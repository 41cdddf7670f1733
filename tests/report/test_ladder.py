"""The report on a scaling ladder: what each rung answered, the curve, and the rows to a goal."""

import json
import math
import random
import re
import xml.etree.ElementTree as ElementTree

import pytest
import yaml

from tinygsm_kit.report.build import build, build_report
from tinygsm_kit.report.charts import round_numbers
from tinygsm_kit.report.extrapolation import fit
from tinygsm_kit.report.ladder import sentence
from tinygsm_kit.report.markdown import render_markdown
from tinygsm_kit.report.rundir import read_run
from tinygsm_kit.report.statistics import proportion

RUNGS = [1_000, 3_000, 10_000]
WHOLE = 30_000
METRICS = ["exact_match", "response_tokens"]


def logit(share):
    return math.log(share / (1 - share))


def write_answers(folder, shares, items, seed):
    """results.json and samples of one model, with these shares of right answers by task."""
    rng = random.Random(seed)
    folder.mkdir(parents=True)
    results = {}
    for task, share in shares.items():
        right = [index < round(share * items) for index in range(items)]
        rng.shuffle(right)
        rows = [
            {"doc_id": index, "doc": {"question": f"Question {index}?"}, "target": "1", "resps": [["1" if yes else "2"]],
             "filter": "none", "metrics": METRICS, "exact_match": float(yes), "response_tokens": 2}
            for index, yes in enumerate(right)
        ]  # fmt: skip
        (folder / f"samples_{task}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
        results[task] = {"exact_match,none": sum(right) / items, "response_tokens,none": 2.0}
    (folder / "results.json").write_text(json.dumps({"results": results, "group_subtasks": {task: [] for task in shares}}))


@pytest.fixture
def make_ladder(tmp_path):
    """A run with two conditions on every rung; `doubling` is by what a doubling multiplies each condition's odds."""

    def make(doubling=(1.5, 1.7), start=0.03, rungs=RUNGS, whole=WHOLE, items=600, seeds=(), **recipe):
        run, names = tmp_path / "run", ("baseline", "mul_tokens")
        run.mkdir()
        asked = {"name": "rungs", "conditions": {each: {} for each in names}, "train": {"use": "sft"},
                 "evaluate": {"tasks": ["gsm8k_tgsm", "mul_table"]}, "ladder": list(rungs), **recipe}  # fmt: skip
        (run / "recipe.yaml").write_text(yaml.safe_dump(asked, sort_keys=False))
        stages = {f"inject/{name}": {"done": True, "rows_in": whole, "rows_out": whole} for name in names}
        (run / "manifest.json").write_text(json.dumps({"stages": stages}))
        for rows in [*rungs, whole]:
            room = run if rows == whole else run / "ladder" / f"{rows}-rows"
            for name, factor in zip(names, doubling, strict=True):
                odds = logit(start) + math.log(factor) * math.log2(rows / rungs[0])
                share = 1 / (1 + math.exp(-odds))
                for seed in (None, *seeds):
                    label = name if seed is None else f"{name}@{seed}"
                    number = rows + (seed or 0)
                    write_answers(room / "eval" / label, {"gsm8k_tgsm": share, "mul_table": 0.5}, items, number)
        return run

    return make


def entry(report, condition, task="gsm8k_tgsm"):
    (found,) = [each for each in report["ladder"] if (each["task"], each["condition"]) == (task, condition)]
    return found


def test_every_rung_is_a_point_with_its_wilson_interval(make_ladder):
    report = build_report(read_run(make_ladder()))
    found = entry(report, "baseline")
    assert [point["rows"] for point in found["points"]] == [*RUNGS, WHOLE]
    expected = proportion(18, 600)
    assert found["points"][0] == {"rows": 1_000, "label": "baseline", "value": 0.03, "low": expected.low,
                                  "high": expected.high, "n": 600}  # fmt: skip
    assert set(report["conditions"]) == {"baseline", "mul_tokens"}  # rungs are no conditions


def test_the_rows_to_the_goal_are_those_of_the_fitted_curve(make_ladder):
    found = entry(build_report(read_run(make_ladder())), "baseline")
    assert found["goal"] == 0.15
    assert found["doubling"]["value"] == pytest.approx(1.5, rel=0.05)
    exact = 1_000 * 2 ** ((logit(0.15) - logit(0.03)) / math.log(1.5))
    assert found["rows_needed"]["value"] == pytest.approx(exact, rel=0.1)
    said = r"baseline on gsm8k_tgsm: rows to reach 15 %: about ([\d,]+) \(95 % interval ([\d,]+) to ([\d,]+)\)\."
    numbers = [int(number.replace(",", "")) for number in re.fullmatch(said, found["sentence"]).groups()]
    ends = [found["rows_needed"][end] for end in ("value", "low", "high")]
    assert numbers == [int(float(f"{end:.2g}")) for end in ends]
    assert found["curve"][0]["rows"] == pytest.approx(1_000)
    assert found["curve"][-1]["rows"] == pytest.approx(WHOLE)


def test_the_goal_comes_from_the_recipes_targets(make_ladder):
    report = build_report(read_run(make_ladder(targets={"gsm8k_tgsm": {"mul_tokens": 0.6}, "mul_table": {"baseline": 0.9}})))
    assert entry(report, "mul_tokens")["goal"] == 0.6
    assert entry(report, "baseline")["goal"] == 0.15
    assert entry(report, "mul_tokens", "mul_table")["goal"] is None
    assert entry(report, "mul_tokens", "mul_table")["sentence"] == ""
    beyond = entry(report, "mul_tokens")
    assert re.search(r"\), \d\.\d times the largest rung\.$", beyond["sentence"])
    assert beyond["curve"][-1]["rows"] > beyond["rows_needed"]["value"] > WHOLE


def test_what_the_rungs_do_not_support_is_not_said(make_ladder):
    report = build_report(read_run(make_ladder(doubling=(1.0, 1.12), targets={"mul_table": {"baseline": 0.9}})))
    flat, far = entry(report, "baseline"), entry(report, "mul_tokens")
    assert flat["rows_needed"] is None
    assert flat["sentence"].startswith(
        "baseline on gsm8k_tgsm: rows to reach 15 % cannot be said from these: that more rows are better is not beyond chance: "
        "a doubling multiplies the odds by 1.00, 95 % interval 0."
    )
    assert far["rows_needed"]["value"] > 30 * WHOLE
    assert re.search(r"cannot be said from these: the curve would reach it at about [\d,]+ rows, more than 30 times the 30,000 "
                     r"of the largest rung\.$", far["sentence"])  # fmt: skip
    assert far["curve"][-1]["rows"] == pytest.approx(WHOLE)
    assert "cannot be said" in entry(report, "baseline", "mul_table")["sentence"]


def test_two_rungs_are_too_few_for_a_curve_and_are_shown(make_ladder):
    run = make_ladder(rungs=[1_000], whole=3_000)
    found = entry(build_report(read_run(run)), "baseline")
    assert found["reason"] == "it takes three rungs with different numbers of rows, and there are 2"
    assert (found["curve"], found["doubling"], len(found["points"])) == ([], None, 2)
    build(run)


def test_every_seed_of_a_rung_is_a_point(make_ladder):
    run = read_run(make_ladder(seeds=(43, 44)))
    found = entry(build_report(run), "baseline")
    assert [point["label"] for point in found["points"][:3]] == ["baseline", "baseline@43", "baseline@44"]
    assert len(found["points"]) == 12


def test_only_questions_that_all_rungs_were_asked_are_fitted(make_ladder):
    run = make_ladder()
    samples = run / "ladder/1000-rows/eval/baseline/samples_gsm8k_tgsm.jsonl"
    rows = [json.loads(line) for line in samples.read_text().splitlines()]
    rows[0]["doc"]["question"] = "Another question?"
    samples.write_text("".join(json.dumps(row) + "\n" for row in rows))
    tables = []
    original = fit

    def spy(rows, answers, **options):
        tables.append(answers.shape)
        return original(rows, answers, **options)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("tinygsm_kit.report.ladder.fit", spy)
        build_report(read_run(run))
    assert tables[0] == (599, 4)
    assert tables[1] == (600, 4)


def test_the_whole_report_shows_the_ladder(make_ladder):
    run = make_ladder()
    build(run)
    page = (run / "report/index.html").read_text("utf-8")
    report = json.loads((run / "report/report.json").read_text("utf-8"))
    said = entry(report, "baseline")["sentence"]
    assert said.replace(" %", "\u00a0%") in page
    assert f"- {said}" in (run / "report/report.md").read_text("utf-8")
    assert '<section id="ladder">' in page
    assert '<a href="#ladder">' in page
    for kind in ("svg", "png"):
        assert (run / f"report/figures/ladder_gsm8k_tgsm.{kind}").stat().st_size > 5_000
    charts = [svg for svg in re.findall(r"<svg.*?</svg>", page, re.DOTALL) if "by number of training rows" in svg]
    assert len(charts) == 2
    for svg in charts:
        tree = ElementTree.fromstring(svg)
        assert sum(element.tag == "circle" for element in tree.iter()) == 8
    assert "| gsm8k\\_tgsm" not in render_markdown(report)
    assert "| gsm8k_tgsm | 1,000 | 3.0 (" in render_markdown(report)


def test_a_run_without_a_ladder_has_no_such_section(make_ladder):
    run = make_ladder(ladder=[])
    assert read_run(run).ladder == []
    build(run)
    assert '<section id="ladder">' not in (run / "report/index.html").read_text("utf-8")
    assert json.loads((run / "report/report.json").read_text("utf-8"))["ladder"] == []
    assert "More rows" not in (run / "report/report.md").read_text("utf-8")
    assert not list((run / "report/figures").glob("ladder*"))


def test_rungs_that_are_not_there_yet_are_left_out(make_ladder):
    run = make_ladder(ladder=[1_000, 3_000, 5_000, 10_000])
    assert [point["rows"] for point in entry(build_report(read_run(run)), "baseline")["points"]] == [*RUNGS, WHOLE]


def test_the_words_for_what_lies_outside_the_rungs():
    needed = {"value": 400.0, "low": 100.0, "high": None}
    known = {"condition": "a", "task": "t", "goal": 0.155, "reason": "", "rows_needed": needed,
             "points": [{"rows": 1_000}, {"rows": 2_000}]}  # fmt: skip
    assert sentence(known) == "a on t: rows to reach 15.5 %: about 400 (95 % interval 100 or more), below the smallest rung."
    known["rows_needed"] = {"value": 5_040.0, "low": 3_000.0, "high": 9_999.0}
    assert (
        sentence(known)
        == "a on t: rows to reach 15.5 %: about 5,000 (95 % interval 3,000 to 10,000), 2.5 times the largest rung."
    )


def test_ticks_of_rows_are_round():
    assert round_numbers(1_000, 100_000) == [1_000, 3_000, 10_000, 30_000, 100_000]
    assert round_numbers(500, 8_000) == [500, 1_000, 2_000, 5_000]
    assert round_numbers(100, 1e6) == [100, 1_000, 10_000, 100_000, 1_000_000]
