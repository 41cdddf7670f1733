"""The command line as a person meets it: what it prints, and how it ends."""

import json
import subprocess
import sys

import pyarrow.parquet as pq
import pytest

from tinygsm_kit import cli
from tinygsm_kit.parts import part_paths, read_rows
from tinygsm_kit.testing.harness import run_recipe

RECIPE = {
    "name": "rows",
    "source": {"use": "drills", "kinds": ["mul_table"]},
    "sample": {"size": 50},
    "model": "no/model",
    "conditions": {"baseline": {}, "mul_tokens": {"inject": ["mul_tokens"]}},
    "train": "sft",
    "evaluate": {"tasks": ["mul_table"]},
}


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return run_recipe(tmp_path_factory.mktemp("cli"), RECIPE, until="inject")


@pytest.fixture
def kit(monkeypatch, capsys):
    """Call the command line in this process; gives back exit code, output and errors."""

    def call(*arguments):
        monkeypatch.setattr(sys, "argv", ["tinygsm-kit", *map(str, arguments)])
        monkeypatch.delenv("TINYGSM_KIT_DEBUG", raising=False)
        try:
            cli.main()
            code = 0
        except SystemExit as end:
            code = end.code or 0
        printed = capsys.readouterr()
        return code, printed.out, printed.err

    return call


def test_help_imports_nothing_heavy():
    heavy = ("torch", "transformers", "trl", "datasets", "lm_eval", "pyarrow", "scipy", "pandas", "openai", "matplotlib")
    code = "import sys, tinygsm_kit.cli; print([name for name in sys.argv[1:] if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code, *heavy], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_plan_imports_no_torch(tmp_path):
    code = (
        "import sys; from tinygsm_kit.plan import plan, render; from tinygsm_kit.recipe_files import find_recipe, load;"
        "print(render(plan(load(find_recipe('quickstart'))))); print('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "False"
    assert "36 fact tokens in every condition's vocabulary" in done.stdout
    assert "mul_probes: " in done.stdout


def test_what_is_wrong_is_one_message_and_exit_code_2(kit, tmp_path):
    recipe = tmp_path / "bad.yaml"
    recipe.write_text("name: bad\nsource: {use: drills}\nconditions:\n  a:\n    injcet: []\nmodel: m\ntrain: sft\n")
    code, out, error = kit("run", recipe)
    assert (code, out) == (2, "")
    assert error == f"tinygsm-kit: {recipe}:5: conditions.a.injcet: unknown key 'injcet': did you mean 'inject'?\n"


def test_a_missing_source_file_is_found_before_its_stage_begins(kit, tmp_path):
    code, _, error = kit(
        "run", "real_6k", "--set", f"source.path={tmp_path / 'none.jsonl'}", "--set", "sample.decontaminate=false",
        "--out", tmp_path / "run", "--until", "sample",
    )  # fmt: skip
    assert code == 2
    assert "none.jsonl" in error
    assert "Traceback" not in error


@pytest.mark.parametrize("command", [["plan"], ["run", "--out", "run"]])
def test_a_misspelled_task_is_found_before_anything_runs(kit, tmp_path, monkeypatch, command):
    monkeypatch.chdir(tmp_path)
    code, out, error = kit(command[0], "quickstart", *command[1:], "--set", "evaluate.tasks=[mul_probs]")
    assert (code, out) == (2, "")
    assert "unknown task 'mul_probs': expected a task of the kit or of lm-eval, or a probe suite; nearest: mul_probes" in error
    assert list(tmp_path.iterdir()) == []


def test_an_empty_source_says_so(kit, tmp_path):
    (tmp_path / "empty.jsonl").touch()
    code, _, error = kit(
        "run", "real_6k", "--set", f"source.path={tmp_path / 'empty.jsonl'}", "--set", "sample.decontaminate=false",
        "--out", tmp_path / "run", "--until", "sample",
    )  # fmt: skip
    assert code == 1
    assert error.splitlines()[-2].startswith("tinygsm-kit: stage sample failed: ")
    assert "empty.jsonl" in error


def test_show_prints_question_program_solution_and_text(kit, run):
    wanted = next(iter(read_rows(part_paths(run / "inject" / "mul_tokens"))))["problem_id"]
    code, out, _ = kit("show", run, "--stage", "inject", "--id", wanted[:8])
    assert code == 0
    for heading in ("question", "program", "answer", "solution by trace", "text for mul_tokens"):
        assert heading in out
    assert wanted in out


def test_show_says_where_it_looked_when_there_is_nothing(kit, run):
    code, _, error = kit("show", run, "--id", "zzzz")
    assert code == 2
    assert "no rows with id zzzz at stage convert" in error


def test_show_finds_what_was_rejected_before_the_draw_and_after_it(kit, tmp_path):
    rows = tmp_path / "rows.jsonl"
    programs = ["def solution():\n    return 7 * 8\n", "no code at all", "def solution():\n    return None\n"]
    rows.write_text("".join(json.dumps({"question": f"Question {i}?", "code": code}) + "\n" for i, code in enumerate(programs)))
    run = run_recipe(tmp_path, {**RECIPE, "source": {"use": "tinygsm", "path": str(rows)}, "sample": {}}, until="convert")
    code, out, error = kit("show", run, "--stage", "sample", "--rejected", "-n", 9)
    assert (code, error) == (0, "")
    assert out.count("rejected\n") == 2
    assert "no code at all" in out
    assert "answer_none (sample)" in out


@pytest.mark.parametrize("command", ["show", "report", "export"])
def test_a_folder_that_is_no_run_is_refused(kit, tmp_path, command):
    code, _, error = kit(command, tmp_path)
    assert code == 2
    assert "expected a run directory (with manifest.json)" in error


def test_export_one_file_a_condition(kit, run, tmp_path):
    code, out, _ = kit("export", run, "--out", tmp_path)
    assert code == 0
    rows = [json.loads(line) for line in (tmp_path / "mul_tokens.jsonl").read_text().splitlines()]
    texts = list(read_rows(part_paths(run / "inject" / "mul_tokens")))
    assert len(rows) == 50
    assert rows[0] == {
        "id": texts[0]["problem_id"],
        "prompt": f"User: {texts[0]['question']}\nAssistant:",
        "completion": f" {texts[0]['text']}",
    }
    assert (tmp_path / "baseline.jsonl").is_file()
    assert out.count("50 rows") == 2


@pytest.mark.parametrize(("file_format", "pattern"), [("parquet", "mul_tokens-*.parquet"), ("hf", "mul_tokens/data/*.parquet")])
def test_export_shards_hold_every_row_once(kit, run, tmp_path, file_format, pattern):
    code, _, _ = kit("export", run, "--condition", "mul_tokens", "--format", file_format, "--shards", 4, "--out", tmp_path)
    assert code == 0
    shards = sorted(tmp_path.glob(pattern))
    assert [pq.read_metadata(path).num_rows for path in shards] == [12, 13, 12, 13]
    ids = [row["id"] for row in read_rows(shards)]
    assert ids == [row["problem_id"] for row in read_rows(part_paths(run / "inject" / "mul_tokens"))]


def test_export_of_an_unknown_condition_names_those_there_are(kit, run):
    code, _, error = kit("export", run, "--condition", "none")
    assert code == 2
    assert "expected rows of condition 'none', found those of baseline, mul_tokens" in error


def test_plugins_lists_kind_name_version_distribution_and_options(kit):
    _, out, _ = kit("plugins")
    lines = out.splitlines()
    assert "injectors" in lines
    assert any(line.startswith("  mul_tokens  version ") and "tinygsm-kit 0.1.0" in line for line in lines)
    assert any(line.startswith("      low = 2") for line in lines)


def test_schema_knows_the_options_of_every_plugin(kit):
    _, out, _ = kit("schema")
    schema = json.loads(out)
    assert schema["properties"]["source"]["$ref"] == "#/$defs/source"
    names, *sources = schema["$defs"]["source"]["anyOf"]
    assert {"tinygsm", "synthetic", "drills", "mixture"} <= {entry["properties"]["use"]["const"] for entry in sources}
    assert set(names["enum"]) == {entry["properties"]["use"]["const"] for entry in sources}
    assert schema["additionalProperties"] is False


def test_every_reference_of_the_schema_leads_somewhere(kit):
    _, out, _ = kit("schema")
    schema = json.loads(out)
    references = {text.split('"')[0] for text in out.split('"$ref": "')[1:]}
    assert {reference.removeprefix("#/$defs/") for reference in references} <= set(schema["$defs"])


def test_doctor_never_shows_a_credential(kit, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-very-secret")
    code, out, _ = kit("doctor")
    assert code == 0
    assert "OPENAI_API_KEY is set" in out
    assert "sk-very-secret" not in out


def test_a_paid_run_needs_consent_where_nobody_can_be_asked(kit, tmp_path, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-x")
    code, _, error = kit("run", "100k_mul", "--out", tmp_path / "run")
    assert code == 2
    assert "costs money: expected --yes to confirm the budget ($25.00)" in error
    assert not (tmp_path / "run").exists()
