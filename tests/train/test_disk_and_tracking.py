"""Checkpoints by count, a disk that is full, and what is kept of a training whoever else is told of it."""

import json
from pathlib import Path

import pytest

from tinygsm_kit.train import saving
from tinygsm_kit.train.errors import TrainingError
from tinygsm_kit.train.run import arguments
from tinygsm_kit.train.sft import SFT
from tinygsm_kit.train.trainer import CompletionTrainer

OPTIONS = {"max_steps": 8, "per_device_train_batch_size": 8, "logging_steps": 1, "save_steps": 1, "learning_rate": 1e-2}


def log(model: Path):
    return [json.loads(line) for line in (model / "training_log.jsonl").read_text().splitlines()]


@pytest.fixture
def full_at(monkeypatch):
    """From a step on, whatever a checkpoint writes of the optimizer goes to a disk without room; None makes room again."""
    if not Path("/dev/full").exists():
        pytest.skip("there is no /dev/full here, which is always full")
    step: list[int | None] = [None]
    original = CompletionTrainer._save_checkpoint

    def save(self, *arguments, **options):
        if step[0] is not None and self.state.global_step >= step[0]:
            folder = Path(self.args.output_dir) / f"checkpoint-{self.state.global_step}"
            folder.mkdir()
            (folder / "optimizer.pt").symlink_to("/dev/full")
        return original(self, *arguments, **options)

    monkeypatch.setattr(CompletionTrainer, "_save_checkpoint", save)
    return lambda at: step.__setitem__(0, at)


@pytest.mark.parametrize(("limit", "kept"), [(None, [4, 5]), (1, [5]), (3, [3, 4, 5])])
def test_a_full_disk_is_an_error_with_what_was_kept_and_the_training_goes_on_from_there(make_context, full_at, limit, kept):
    options = OPTIONS if limit is None else {**OPTIONS, "save_total_limit": limit}
    whole = SFT(SFT.Options(**options)).train(make_context(output=make_context().output.parent / "whole"))
    context = make_context()
    work = saving.work_folder(context.output)
    full_at(6)
    with pytest.raises(TrainingError, match=r"could not write to .* Kept: .*checkpoint-5\. Make room and repeat"):
        SFT(SFT.Options(**options)).train(context)
    assert sorted(path.name for path in work.glob("checkpoint-*")) == [f"checkpoint-{step}" for step in kept]
    assert not context.output.exists()
    full_at(None)
    trained = SFT(SFT.Options(**options)).train(context)
    assert [entry["step"] for entry in log(trained)] == list(range(1, 9))
    assert [entry["loss"] for entry in log(trained)] == pytest.approx([entry["loss"] for entry in log(whole)], rel=1e-4)
    assert not work.exists()


def test_two_checkpoints_are_kept_unless_the_recipe_says_otherwise(make_context):
    assert arguments(SFT.Options(), make_context()).save_total_limit == 2
    assert arguments(SFT.Options(save_total_limit=5), make_context()).save_total_limit == 5


@pytest.mark.parametrize("changes", [{}, {"logging_strategy": "no"}, {"logging_steps": 3}], ids=["seldom", "never", "thirds"])
def test_loss_and_rate_are_kept_here_to_the_last_step_however_seldom_they_are_logged(make_context, changes):
    quiet = {**OPTIONS, "save_strategy": "no", "logging_steps": 500, **changes}
    entries = log(SFT(SFT.Options(**quiet)).train(make_context()))
    assert [entry["step"] for entry in entries] == ([3, 6, 8] if changes.get("logging_steps") else [8])
    assert {"loss", "learning_rate", "epoch", "seconds", "rows"} <= set(entries[-1])
    assert entries[-1]["rows"] == 64


def test_a_tracker_is_passed_on_by_its_name_and_the_curve_is_kept_here_too(make_context, monkeypatch):
    """Any callback of transformers' table: one of our own stands in for a service that would want an account."""
    from transformers import TrainerCallback
    from transformers.integrations import integration_utils

    told = []

    class Tracker(TrainerCallback):
        def on_log(self, args, state, control, logs=None, **_):
            told.append(dict(logs))

    monkeypatch.setitem(integration_utils.INTEGRATION_TO_CALLBACK, "wandb", Tracker)
    options = {**OPTIONS, "save_strategy": "no", "logging_steps": 4}
    trained = SFT(SFT.Options(**options, report_to=["wandb"])).train(make_context())
    assert [entry["loss"] for entry in log(trained)] == [logs["loss"] for logs in told if "loss" in logs]
    assert len(log(trained)) == 2
    silent = SFT(SFT.Options(**options)).train(make_context(output=trained.parent / "silent"))
    assert len([logs for logs in told if "loss" in logs]) == 2  # nobody is told unless asked
    assert [entry["loss"] for entry in log(silent)] == [entry["loss"] for entry in log(trained)]


def test_a_tracker_that_is_not_installed_is_named_before_a_model_is_loaded(make_context, monkeypatch):
    from transformers.integrations import integration_utils

    def absent():
        raise RuntimeError("WandbCallback requires wandb to be installed. Run `pip install wandb`.")

    monkeypatch.setitem(integration_utils.INTEGRATION_TO_CALLBACK, "wandb", absent)
    with pytest.raises(TrainingError, match=r"report_to: WandbCallback requires wandb .* loss and rate are always kept here"):
        SFT(SFT.Options(**OPTIONS, report_to="wandb")).train(make_context(model="no/such/model"))
