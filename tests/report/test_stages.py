"""What the report shows after each stage of training."""

import json
import shutil

import pytest
import yaml

from tinygsm_kit.report import observations, stages
from tinygsm_kit.report.build import build
from tinygsm_kit.report.results import build_results
from tinygsm_kit.report.rundir import read_run, training_stages

STAGES = [{"name": "drills", "use": "sft", "data": {"source": "drills"}}, {"name": "words", "use": "sft"}]


@pytest.fixture
def staged(build_run):
    """After `drills`, the baseline answered what mul_tokens answers in the end, and the other way round."""

    def make(seeds=(), train=STAGES, **recipe):
        run = build_run(items=40, rows=20, seeds=seeds, train=train, **recipe)
        for label in [path.name for path in (run / "eval").iterdir()]:
            other = label.replace("baseline", "x").replace("mul_tokens", "baseline").replace("x", "mul_tokens")
            shutil.copytree(run / "eval" / other, run / "stages" / "1-drills" / "eval" / label)
        return run

    return make


def test_every_stage_has_the_scores_of_the_model_that_it_left(staged):
    results = build_results(read_run(staged()))
    assert [stage["stage"] for stage in results["stages"]] == ["drills", "words"]
    first, last = (stage["conditions"] for stage in results["stages"])
    assert last == results["conditions"]
    assert first["baseline"] == last["mul_tokens"]
    assert first["mul_tokens"] == last["baseline"]
    assert first["baseline"] != last["baseline"]


def test_table_and_picture_say_the_same_as_the_scores(staged):
    report = build_results(read_run(staged()))
    rows = stages.table(report)
    assert [(row["task"], row["number"], row["stage"]) for row in rows if row["task"] == "mul_table"] == [
        ("mul_table", 1, "drills"), ("mul_table", 2, "words"),
    ]  # fmt: skip
    for row in rows:
        found = report["stages"][row["number"] - 1]["conditions"]
        assert row["cells"] == {name: found[name]["tasks"][row["task"]]["exact_match"] for name in found}
    points = stages.series(report, "mul_table")["baseline"]
    assert [(place, value) for place, value, _, _ in points] == [
        (row["number"] - 1, row["cells"]["baseline"]["value"]) for row in rows if row["task"] == "mul_table"
    ]


def test_forgetting_comes_first():
    cell = {"exact_match": {"value": 0.5, "low": 0.4, "high": 0.6, "n": 81}}
    found = {"conditions": {"a": {"tasks": {"mul_table": cell, "forgetting": cell, "once": {}}}}, "seeds": {}}
    assert stages.tasks({"stages": [{"stage": "x", **found}, {"stage": "y", **found}]}) == ["forgetting", "mul_table"]


def test_the_seeds_of_a_condition_stand_together(staged):
    report = build_results(read_run(staged(seeds=(43,))))
    (cell,) = (row["cells"]["baseline"] for row in stages.table(report) if (row["task"], row["number"]) == ("mul_table", 1))
    assert cell == report["stages"][0]["seeds"]["baseline"]["mul_table"]["exact_match"]
    assert cell["seeds"] == 2


def test_page_markdown_and_figures_show_the_stages(staged):
    run = staged()
    page = build(run).read_text()
    assert '<section id="stages">' in page
    assert '<a href="#stages">Stages</a>' in page
    assert "mul_table after each stage of training" in page
    text = (run / "report" / "report.md").read_text()
    cell = json.loads((run / "report" / "report.json").read_text())["stages"][0]["conditions"]["baseline"]["tasks"]["addition"]
    shown = "{value:.1f} ({low:.1f} to {high:.1f})".format(**{k: 100 * v for k, v in cell["exact_match"].items()})
    assert "## After each stage of training" in text
    assert f"| addition | 1 drills | {shown} |" in text
    for kind in ("svg", "png"):
        assert (run / "report" / "figures" / f"stages_mul_table.{kind}").stat().st_size > 1_000


@pytest.mark.parametrize("train", [[STAGES[1]], STAGES[1]])
def test_a_run_of_one_stage_has_no_such_section(staged, train):
    run = staged(train=train)
    assert read_run(run).stages == []
    assert 'id="stages"' not in build(run).read_text()
    assert "After each stage" not in (run / "report" / "report.md").read_text()
    assert not list((run / "report" / "figures").glob("stages_*"))


def test_a_condition_may_have_fewer_stages_than_another(staged):
    run = staged()
    recipe = yaml.safe_load((run / "recipe.yaml").read_text())
    recipe["conditions"]["baseline"]["train"] = [STAGES[1]]
    (run / "recipe.yaml").write_text(yaml.safe_dump(recipe))
    found = read_run(run)
    assert [(stage.name, sorted(stage.evaluations)) for stage in found.stages] == [
        ("words / drills", ["baseline", "mul_tokens"]),
        ("words", ["mul_tokens"]),
    ]
    series = stages.series(build_results(found), "addition")
    assert [place for place, *_ in series["baseline"]] == [0]
    assert [place for place, *_ in series["mul_tokens"]] == [0, 1]


def test_a_stage_that_the_recipe_no_longer_has_is_not_shown(staged):
    run = staged()
    shutil.copytree(run / "stages" / "1-drills", run / "stages" / "1-older")
    assert [stage.name for stage in read_run(run).stages] == ["drills", "words"]


def test_stages_are_named_as_their_folders_are():
    from tinygsm_kit.experiment import compile_recipe
    from tinygsm_kit.recipe_files import find_recipe, load

    for name in ("small_curriculum", "small_mixed", "small_direct"):
        recipe = load(find_recipe(name))
        for condition, arm in compile_recipe(recipe).arms.items():
            expected = [(arm.stage_name(index), arm.rows_of(index) is not arm) for index in range(len(arm.train))]
            assert training_stages(recipe.dump(), condition) == expected


def test_loss_curves_of_stages_follow_one_another_whatever_their_steps(staged):
    run = staged()
    for label, folder in (("baseline", run / "stages" / "1-drills" / "models" / "baseline"), ("", run / "models" / "baseline")):
        folder.mkdir(parents=True, exist_ok=True)
        steps = (5,) if label else (10, 20)
        rows = [json.dumps({"step": step, "loss": float(step)}) for step in steps]
        (folder / "training_log.jsonl").write_text("\n".join(rows) + "\n")
    assert observations.loss_curves(read_run(run))["baseline"] == [(5.0, 5.0), (15.0, 10.0), (25.0, 20.0)]


def test_rows_of_all_stages_count_as_training(staged):
    run = staged()
    before = observations.injections(read_run(run))["mul_tokens"]
    shutil.copytree(run / "inject" / "mul_tokens", run / "stages" / "1-drills" / "inject" / "mul_tokens")
    after = observations.injections(read_run(run))["mul_tokens"]
    assert (before.rows, after.rows) == (20, 40)
    assert after.with_token == 2 * before.with_token
