"""The driver: lm-eval task by task, kept and merged."""

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tinygsm_kit.evaluate import driver, generation
from tinygsm_kit.evaluate.driver import evaluate
from tinygsm_kit.evaluate.metrics import METRICS
from tinygsm_kit.evaluate.table import table

TASKS = ["gsm8k_tgsm", "mul_probes"]


@pytest.fixture(scope="module")
def evaluated(model: Path, gsm8k: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict]:
    folder = tmp_path_factory.mktemp("eval") / "baseline"
    return folder, evaluate(model, TASKS, folder, gsm8k=gsm8k, limit=5, batch_size=3, device="cpu")


def samples(folder: Path, task: str) -> list[dict]:
    return [json.loads(line) for line in (folder / f"samples_{task}.jsonl").read_text("utf-8").splitlines()]


def test_files_and_keys(evaluated: tuple[Path, dict]) -> None:
    folder, results = evaluated
    tasks = ["gsm8k_tgsm", "mul_table", "mul_multidigit", "addition"]
    assert list(results["results"]) == [*tasks, "mul_probes"]
    assert results["group_subtasks"] == {"mul_probes": tasks[1:]}
    assert results["n-samples"]["gsm8k_tgsm"] == {"original": 6, "effective": 5}
    assert {path.name for path in folder.iterdir()} == {
        "results.json", *(f"results_{task}.json" for task in tasks), *(f"samples_{task}.jsonl" for task in tasks)
    }  # fmt: skip
    assert json.loads((folder / "results.json").read_text("utf-8")) == results
    for key in ("config", "versions", "n-shot", "higher_is_better", "task_hashes", "lm_eval_version", "model_name", "date"):
        assert key in results


def test_results_are_the_means_of_the_samples(evaluated: tuple[Path, dict]) -> None:
    folder, results = evaluated
    for task in ("gsm8k_tgsm", "mul_table", "mul_multidigit", "addition"):
        rows = samples(folder, task)
        assert len(rows) == 5
        for metric in METRICS:
            known = [row[metric] for row in rows if row[metric] is not None]
            expected = sum(known) / len(known) if known else None
            assert results["results"][task][f"{metric},none"] == pytest.approx(expected)
    members = [samples(folder, task) for task in ("mul_table", "mul_multidigit", "addition")]
    tokens = [row["response_tokens"] for rows in members for row in rows]
    assert results["groups"]["mul_probes"]["response_tokens,none"] == pytest.approx(sum(tokens) / len(tokens))


def test_prompts_and_documents(evaluated: tuple[Path, dict]) -> None:
    folder, _ = evaluated
    first = samples(folder, "gsm8k_tgsm")[0]
    assert first["arguments"]["gen_args_0"]["arg_0"] == "User: Tom has 3 boxes of 4 pens. How many pens?\nAssistant:"
    assert first["target"] == "12"
    probe = samples(folder, "mul_table")[3]
    assert probe["doc"]["operands"] == [1, 4]


def test_what_is_done_is_not_done_again(evaluated, model: Path, gsm8k: Path, tmp_path: Path, monkeypatch) -> None:
    folder, results = evaluated
    copy = shutil.copytree(folder, tmp_path / "copy")
    (copy / "results.json").unlink()
    monkeypatch.setattr(generation, "language_model", lambda *_: pytest.fail("the model was loaded again"))
    assert evaluate(model, TASKS, copy, gsm8k=gsm8k, limit=5, device="cpu") == results


def test_it_goes_on_where_it_was_killed(evaluated, model: Path, gsm8k: Path, tmp_path: Path, monkeypatch) -> None:
    folder, results = evaluated
    copy = shutil.copytree(folder, tmp_path / "copy")
    (copy / "results_addition.json").unlink()
    ran = []
    again = driver._Run.evaluate
    monkeypatch.setattr(driver._Run, "evaluate", lambda self, tasks: ran.extend(tasks) or again(self, tasks))
    second = evaluate(model, TASKS, copy, gsm8k=gsm8k, limit=5, batch_size=3, device="cpu")
    assert ran == ["addition"]
    assert second["results"] == results["results"]


@pytest.mark.parametrize("change", [{"limit": 4}, {"seed": 7}, {"backend_options": {"dtype": "float32"}}])
def test_other_settings_are_other_results(evaluated, model: Path, tmp_path: Path, monkeypatch, change: dict) -> None:
    folder, _ = evaluated
    copy = shutil.copytree(folder, tmp_path / "copy")

    class RanError(Exception):
        pass

    def evaluated_again(_: object, tasks: dict) -> None:
        raise RanError(*tasks)

    monkeypatch.setattr(driver._Run, "evaluate", evaluated_again)
    evaluate(model, ["mul_table"], copy, limit=5, device="cpu")
    with pytest.raises(RanError, match="mul_table"):
        evaluate(model, ["mul_table"], copy, **{"limit": 5, "device": "cpu", **change})


def test_small_tasks_that_generate_alike_run_together() -> None:
    class Task:
        OUTPUT_TYPE = "generate_until"

        def __init__(self, size: int, room: int, output_type: str = "generate_until") -> None:
            self.eval_docs, self.room, self.OUTPUT_TYPE = range(size), room, output_type

        def get_config(self, _: str) -> dict:
            return {"max_gen_toks": self.room}

    tasks = {
        "a": Task(81, 128),
        "g": Task(1319, 256),
        "b": Task(500, 128),
        "c": Task(500, 128),
        "l": Task(9, 128, "loglikelihood"),
    }
    assert [list(batch) for batch in driver.batches(tasks, None)] == [["a", "b"], ["c"], ["g"], ["l"]]  # type: ignore[arg-type]


def test_progress_counts_responses(model: Path, tmp_path: Path) -> None:
    class Watched:
        def __init__(self) -> None:
            self.seen: dict[str, tuple[int | None, int]] = {}

        @contextmanager
        def task(self, name: str, total: int | None) -> Iterator["Watched"]:
            self.name, self.total, self.rows = name, total, 0
            yield self
            self.seen[name] = (total, self.rows)

        def advance(self, rows: int = 1) -> None:
            self.rows += rows

    watched = Watched()
    evaluate(model, ["mul_table"], tmp_path, limit=4, device="cpu", progress=watched)  # type: ignore[arg-type]
    assert watched.seen == {"evaluate mul_table": (4, 4)}


def test_any_back_end_of_lm_eval_will_do(model: Path, tmp_path: Path) -> None:
    results = evaluate(model, ["mul_table"], tmp_path, limit=3, backend="dummy")
    assert results["config"]["model"] == "dummy"
    assert [row["resps"] for row in samples(tmp_path, "mul_table")] == [[["lol"]]] * 3


def test_without_a_device_the_best_there_is_is_taken(model: Path, tmp_path: Path) -> None:
    assert evaluate(model, ["mul_table"], tmp_path, limit=1)["results"]["mul_table"]["sample_len"] == 1


def test_only_the_first_process_writes(model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOCAL_RANK", "1")
    assert evaluate(model, ["mul_table"], tmp_path, limit=3, backend="dummy") == {}
    assert list(tmp_path.iterdir()) == []


def test_stop_strings_are_still_looked_for(model: Path) -> None:
    """Only the end-of-sequence text is left to `generate`; lm-eval's own model gives the same responses."""
    from lm_eval.api.instance import Instance
    from lm_eval.models.huggingface import HFLM

    def responses(kind: type, until: list[str]) -> list[str]:
        lm = kind(pretrained=str(model), device="cpu", batch_size=4)
        arguments = {"until": until, "do_sample": False, "max_gen_toks": 24}
        prompts = [f"User: What is {n} × 8?\nAssistant:" for n in range(2, 10)]
        return lm.generate_until([Instance("generate_until", {}, (prompt, dict(arguments)), 0) for prompt in prompts])

    plain = responses(HFLM, [])
    assert responses(generation.BatchedLM, []) == plain
    mark = plain[0][5:7]
    stopped = responses(HFLM, [mark])
    assert responses(generation.BatchedLM, [mark]) == stopped
    assert stopped[0] == plain[0].split(mark)[0]


def test_the_table(evaluated: tuple[Path, dict]) -> None:
    lines = table(evaluated[1]).splitlines()
    assert lines[0].split() == ["task", "n", "exact", "match", "flexible", "tokens", "stopped", "fact", "tokens"]
    assert [line.split()[0] for line in lines[2:]] == ["gsm8k_tgsm", "mul_probes", "mul_table", "mul_multidigit", "addition"]
    assert lines[2].split()[1:4] == ["5", "0.0%", "0.0%"]
