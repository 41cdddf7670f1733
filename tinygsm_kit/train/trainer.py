"""TRL's SFTTrainer with three things of our own: batches by length, logits only where they are supervised, progress."""

from __future__ import annotations

import time
from typing import Any

import torch
from torch.nn import functional
from transformers import TrainerCallback
from transformers.trainer_pt_utils import LengthGroupedSampler, get_length_grouped_indices
from trl.trainer.sft_trainer import SFTTrainer

from tinygsm_kit.train.data import IGNORED

POOL_BATCHES = 16
"""Batches a pool at least within which rows are sorted by length; transformers' own rule leaves small data sets unsorted."""


class CompletionTrainer(SFTTrainer):
    """SFTTrainer for prompt and completion rows that are tokenized already (`input_ids`, `labels`, `length`)."""

    def _get_train_sampler(self, train_dataset: Any = None) -> Any:
        rows_of_all: Any = self.train_dataset
        if self.args.train_sampling_strategy != "group_by_length" or "length" not in rows_of_all.column_names:
            return super()._get_train_sampler(train_dataset)
        rows = self.args.train_batch_size * self.args.gradient_accumulation_steps * self.args.world_size
        seed = self.args.seed if self.args.data_seed is None else self.args.data_seed
        return LengthGroups(rows, rows_of_all.data.column("length").to_pylist(), seed)

    def compute_loss(
        self, model: Any, inputs: dict[str, Any], return_outputs: bool = False, num_items_in_batch: Any = None
    ) -> Any:
        """Cross entropy over the supervised positions, the only ones that go through the head.

        On devices with Triton TRL's own fused head does the same in tiles; elsewhere it computes every position.
        """
        if return_outputs or not self._is_plain() or inputs["input_ids"].device.type == "cuda":
            return super().compute_loss(model, inputs, return_outputs, num_items_in_batch)  # type: ignore[no-untyped-call]
        labels = inputs.pop("labels")
        following = functional.pad(labels[:, 1:], (0, 1), value=IGNORED)
        supervised = following != IGNORED
        logits = model(**inputs, use_cache=False, logits_to_keep=supervised).logits
        targets = following[supervised]
        total = functional.cross_entropy(logits.float(), targets, reduction="sum")
        loss = total / (max(targets.numel(), 1) if num_items_in_batch is None else num_items_in_batch)
        if self.args.average_tokens_across_devices and num_items_in_batch is not None:
            loss = loss * self.accelerator.num_processes
        self._note_batch(logits, targets, inputs)
        return loss

    def _is_plain(self) -> bool:
        """Whether the loss is cross entropy and nothing else."""
        settings: Any = self.args
        special = (self.label_smoother, self.compute_loss_func)
        return settings.loss_type == "nll" and not self.aux_loss_enabled and all(each is None for each in special)

    def _note_batch(self, logits: torch.Tensor, targets: torch.Tensor, inputs: dict[str, Any]) -> None:
        """The metrics that SFTTrainer logs, but for the entropy, which costs as much as the loss."""
        model: Any = self.model
        mode = "train" if model.training else "eval"
        correct = (logits.detach().argmax(-1) == targets).float().mean() if targets.numel() else torch.zeros(())
        self._metrics[mode]["mean_token_accuracy"].append(correct.item())
        if mode == "train" and "attention_mask" in inputs:
            self._total_train_tokens += int(inputs["attention_mask"].sum()) * self.accelerator.num_processes
        self._metrics[mode]["num_tokens"] = [self._total_train_tokens]


class LengthGroups(LengthGroupedSampler):
    """transformers' LengthGroupedSampler, with an order that depends on seed and epoch alone.

    The original draws from the global random state, so that a resumed training or a second process would see other batches;
    and it serves each group from long to short, so that the lengths of neighbouring batches are not random.
    """

    def __init__(self, rows: int, lengths: list[int], seed: int) -> None:
        super().__init__(rows, lengths=lengths)
        self.seed, self.epoch = seed, 0

    def set_epoch(self, epoch: int) -> None:
        """Called by the Trainer at the start of each epoch."""
        self.epoch = epoch

    def __iter__(self) -> Any:
        generator = torch.Generator().manual_seed(self.seed * 1_000_003 + self.epoch)
        pool = max(POOL_BATCHES, min(len(self.lengths) // (self.batch_size * 4), 50))
        order: list[int] = get_length_grouped_indices(  # type: ignore[no-untyped-call]
            self.lengths, self.batch_size, mega_batch_mult=pool, generator=generator
        )
        batches = [order[start : start + self.batch_size] for start in range(0, len(order), self.batch_size)]
        whole = len(order) // self.batch_size
        # The longest batch stays first, so that too little memory shows at once; an incomplete one stays last.
        shuffled = [1 + int(index) for index in torch.randperm(max(whole - 1, 0), generator=generator)]
        for index in [0, *shuffled, *range(max(whole, 1), len(batches))]:
            yield from batches[index]


class Watch(TrainerCallback):
    """Moves a progress bar, and adds seconds and rows to what the Trainer logs, across a resume too."""

    def __init__(self, task: Any, rows_per_step: int) -> None:
        self.task, self.rows_per_step = task, rows_per_step
        self.started, self.before = time.monotonic(), 0.0

    def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:  # noqa: ARG002
        """Take up the clock where a resumed training left it."""
        self.started = time.monotonic()
        self.before = next((entry["seconds"] for entry in reversed(state.log_history) if "seconds" in entry), 0.0)
        self.task.advance(state.global_step * self.rows_per_step)

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:  # noqa: ARG002
        """One step is one batch of rows. The last one is logged however seldom the others are."""
        self.task.advance(self.rows_per_step)
        control.should_log |= state.global_step >= state.max_steps

    def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **_: Any) -> None:  # noqa: ARG002
        """`state.log_history` is saved in checkpoints, so the added figures are too."""
        if not logs or "loss" not in logs:
            return
        state.log_history[-1].update(
            seconds=round(self.before + time.monotonic() - self.started, 3), rows=state.global_step * self.rows_per_step
        )
        self.task.note(step=state.global_step, loss=f"{logs['loss']:.3f}")
