"""Work folders, checkpoints and finished models on disk."""

import errno
import json

import pytest

from tinygsm_kit import parts
from tinygsm_kit.train import saving
from tinygsm_kit.train.errors import TrainingError


def test_an_unfinished_checkpoint_is_passed_over_and_removed(tmp_path):
    for step, state in ((5, "{}"), (90, "{}"), (100, None), (110, '{"global_st')):
        folder = tmp_path / f"checkpoint-{step}"
        folder.mkdir()
        if state is not None:
            (folder / saving.STATE_FILE).write_text(state)
    assert saving.last_checkpoint(tmp_path) == tmp_path / "checkpoint-90"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["checkpoint-5", "checkpoint-90"]
    assert saving.last_checkpoint(tmp_path / "nothing") is None


def test_the_work_of_the_same_training_is_kept_and_of_another_thrown_away(make_context, folders):
    context = make_context()
    work = saving.work_folder(context.output)
    options = {"learning_rate": 1e-3}

    def survives(context, options):
        saving.open_work(work, context, options)
        kept = (work / "checkpoint-1").exists()
        (work / "checkpoint-1").mkdir(exist_ok=True)
        return kept

    assert not survives(context, options)
    assert survives(context, options)
    assert not survives(context, {"learning_rate": 2e-3})
    assert not survives(make_context(seed=4), {"learning_rate": 2e-3})
    path = parts.part_path(folders["mul_tokens"], 1)
    parts.write_part(path, list(parts.read_rows(path))[:-1], parts.INJECTED_COLUMNS)
    assert not survives(make_context(seed=4), {"learning_rate": 2e-3})
    assert survives(make_context(seed=4), {"learning_rate": 2e-3})


@pytest.mark.parametrize(
    "error",
    [OSError(errno.ENOSPC, "No space left on device"), RuntimeError("PytorchStreamWriter failed writing file data/3")],
)
def test_a_full_disk_says_what_was_kept(tmp_path, error):
    folder = tmp_path / "checkpoint-20"
    folder.mkdir()
    (folder / saving.STATE_FILE).write_text("{}")
    with pytest.raises(TrainingError, match=r"Kept: .*checkpoint-20\. Make room"), saving.disk_errors(tmp_path):
        raise error


def test_other_errors_pass_through(tmp_path):
    with pytest.raises(ValueError, match=r"^mine$"), saving.disk_errors(tmp_path):
        raise ValueError("mine")


def test_a_finished_model_takes_the_place_of_the_old_one(tmp_path):
    for name in ("new", "old"):
        (tmp_path / name).mkdir()
        (tmp_path / name / name).touch()
    saving.put_in_place(tmp_path / "new", tmp_path / "old")
    assert [path.name for path in (tmp_path / "old").iterdir()] == ["new"]
    assert not (tmp_path / "new").exists()


def test_the_log_holds_one_line_for_each_logged_step(tmp_path, make_context):
    history = [{"step": 10, "loss": 1.5, "rows": 80, "seconds": 2.0, "entropy": 3}, {"step": 20, "train_runtime": 4.0}]
    saving.write_extras(tmp_path, make_context(), history, {"steps": 20})
    lines = (tmp_path / saving.LOG_FILE).read_text().splitlines()
    assert [json.loads(line) for line in lines] == [{"step": 10, "loss": 1.5, "seconds": 2.0, "rows": 80}]
