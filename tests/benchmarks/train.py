"""Rows a second of training on real problems: ours, plain SFTTrainer, and a loop written by hand.

    python tests/benchmarks/train.py [--data DIR] [--rows 960] [--repeats 1]

Question to program on TinyGSM rows as language models wrote them; the same model, rows, batch size, optimizer and precision
(float32) for all, one epoch each, in turn; the median counts. The two fast arms run three times as often, side by side, for
their ratio is near one. Preparation (tokenizing, building the trainer) is not timed. The arms:

- ours: `sft` with its defaults;
- trl_default: `trl.SFTTrainer` with its defaults (activation checkpointing is one of them);
- trl_plain: the same without activation checkpointing;
- hand_loop: length grouping and completion-only logits, and nothing else.

The last line is JSON: {"vs_trl_default": …, "vs_trl_plain": …, "vs_hand_loop": …}.
"""

from __future__ import annotations

import argparse
import copy
import gc
import json
import os
import random
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ.setdefault("HF_HUB_OFFLINE", "1")

import torch
from torch.nn import functional

from tinygsm_kit import parts
from tinygsm_kit.interfaces import TrainContext
from tinygsm_kit.train import data, run
from tinygsm_kit.train.sft import SFT

REAL = Path(__file__).parents[2].parent / "shared" / "data" / "tinygsm"
MODEL = {
    "config": {"model_type": "gpt2", "n_embd": 128, "n_layer": 4, "n_head": 4, "n_positions": 1024,
               "resid_pdrop": 0.0, "embd_pdrop": 0.0, "attn_pdrop": 0.0},
    "tokenizer": {"train": {"vocab_size": 4_000}},
}  # fmt: skip
BATCH = 16
RATE = 1e-3


def write_rows(source: Path, folder: Path, count: int) -> None:
    """`count` rows spread over all files of the folder, as the parts that a trainer reads."""
    lines = [line for file in sorted(source.glob("*.jsonl")) for line in file.read_text(encoding="utf-8").splitlines()]
    chosen = [json.loads(line) for line in random.Random(0).sample(lines, count)]
    rows = [
        {"problem_id": str(index), "question": row["question"], "text": row["code"], "tokens": 0}
        for index, row in enumerate(chosen)
    ]
    parts.write_part(parts.part_path(folder, 0), rows, parts.INJECTED_COLUMNS)


class Bench:
    """One model, one tokenizer, one set of rows; arms that train a copy of the model."""

    def __init__(self, work: Path, source: Path, count: int) -> None:
        write_rows(source, work / "rows", count)
        self.context = TrainContext("bench", work / "rows", MODEL, work / "model", seed=1, vocabulary_text=(work / "rows",))
        self.options = SFT.Options.model_validate(
            {"per_device_train_batch_size": BATCH, "num_train_epochs": 1, "learning_rate": RATE, "save_strategy": "no",
             "max_length": 1024, "logging_steps": 10}
        )  # fmt: skip
        run.quiet()
        self.model, self.tokenizer = run.build(self.options, self.context)
        self.rows, counts = run.tokenized_rows(self.options, self.context, self.tokenizer, work, self.model.config)
        self.count = counts.rows_out
        kept = {tuple(ids) for ids in self.rows["input_ids"]}
        encoder = data.Encoder(self.tokenizer, self.context.prompt, None)
        pairs = [encoder.texts(row) for row in parts.read_rows(parts.part_paths(work / "rows"))]
        self.pairs = [
            {"prompt": prompt, "completion": completion}
            for prompt, completion in pairs
            if tuple(self.tokenizer(prompt + completion)["input_ids"]) in kept
        ]

    def warm_up(self) -> None:
        """One batch through both kinds of trainer, so that no arm pays for what is done once in a process."""
        rows, pairs = self.rows, self.pairs
        self.rows, self.pairs = rows.select(range(BATCH)), pairs[:BATCH]
        self.ours()
        self.trl_plain()
        self.rows, self.pairs = rows, pairs

    def ours(self) -> tuple[float, float]:
        """The kit's trainer with its defaults."""
        trainer = run.make_trainer(self.options, self.context, copy.deepcopy(self.model), self.tokenizer, self.rows)
        return timed(trainer.train)

    def trl_default(self) -> tuple[float, float]:
        """Plain SFTTrainer with its defaults."""
        return self._trl()

    def trl_plain(self) -> tuple[float, float]:
        """Plain SFTTrainer, activations kept."""
        return self._trl(activation_checkpointing=False)

    def _trl(self, **changes: Any) -> tuple[float, float]:
        from datasets import Dataset
        from transformers import PrinterCallback
        from trl import SFTConfig, SFTTrainer

        settings = SFTConfig(
            str(self.context.output), per_device_train_batch_size=BATCH, num_train_epochs=1, learning_rate=RATE, seed=1,
            bf16=False, report_to="none", save_strategy="no", disable_tqdm=True, dataloader_pin_memory=False, **changes,
        )  # fmt: skip
        model = copy.deepcopy(self.model)
        trainer = SFTTrainer(model, settings, train_dataset=Dataset.from_list(self.pairs), processing_class=self.tokenizer)
        trainer.remove_callback(PrinterCallback)
        return timed(trainer.train)

    def hand_loop(self) -> tuple[float, float]:
        """What one would write oneself: sort pools of rows by length, and put only supervised positions through the head."""
        model = copy.deepcopy(self.model).train()
        rows = [(torch.tensor(row["input_ids"]), torch.tensor(row["labels"])) for row in self.rows]
        optimizer = torch.optim.AdamW(model.parameters(), lr=RATE, weight_decay=0.0, fused=True)

        def loop() -> None:
            order, pool = torch.randperm(len(rows)).tolist(), BATCH * pool_batches(len(rows))
            pools = [sorted(order[at : at + pool], key=lambda row: len(rows[row][0])) for at in range(0, len(order), pool)]
            batches = [pool[at : at + BATCH] for pool in pools for at in range(0, len(pool), BATCH)]
            random.Random(0).shuffle(batches)
            for step, batch in enumerate(batches):
                optimizer.param_groups[0]["lr"] = RATE * (1 - step / len(batches))
                self._hand_step(model, optimizer, [rows[row] for row in batch])

        return timed(loop)

    def _hand_step(self, model: Any, optimizer: torch.optim.Optimizer, batch: list[tuple[torch.Tensor, torch.Tensor]]) -> None:
        pad = torch.nn.utils.rnn.pad_sequence
        ids = pad([row for row, _ in batch], batch_first=True, padding_value=self.tokenizer.pad_token_id)
        labels = pad([row for _, row in batch], batch_first=True, padding_value=data.IGNORED)
        mask = pad([torch.ones_like(row) for row, _ in batch], batch_first=True)
        hidden = model.transformer(input_ids=ids, attention_mask=mask, use_cache=False).last_hidden_state[:, :-1]
        wanted = labels[:, 1:] != data.IGNORED
        functional.cross_entropy(model.lm_head(hidden[wanted]), labels[:, 1:][wanted]).backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad()


def pool_batches(rows: int) -> int:
    """Batches that are sorted together: as many as ours, so that both pad alike; 50 from 3,200 rows on."""
    return max(16, min(rows // (4 * BATCH), 50))


def timed(work: Callable[[], object]) -> tuple[float, float]:
    """Seconds of wall time, and of CPU time over all threads, which other work on the machine disturbs less."""
    gc.collect()
    start, used = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - start, time.process_time() - used


def main() -> None:
    """Print rows a second of each arm, and the ratios as JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=REAL, help="folder of JSONL files with question and code")
    parser.add_argument("--rows", type=int, default=960)
    parser.add_argument("--repeats", type=int, default=1)
    arguments = parser.parse_args()
    if not arguments.data.is_dir():
        raise SystemExit(f"expected JSONL files in {arguments.data}: name the folder with --data")
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(Path(folder), arguments.data, arguments.rows)
        if len(bench.pairs) != bench.count:
            raise SystemExit(f"the arms would not train on the same rows: {len(bench.pairs)} and {bench.count}")
        fast, slow = [bench.ours, bench.hand_loop], [bench.trl_default, bench.trl_plain]
        bench.warm_up()
        seconds: dict[str, list[tuple[float, float]]] = {}
        for _ in range(arguments.repeats):
            for arm in [*fast, *fast[::-1], *fast, *slow]:
                (wall, used), name = arm(), arm.__name__
                seconds.setdefault(name, []).append((wall, used))
                print(f"{name}: {bench.count / wall:.1f} rows/s, {1_000 * used / bench.count:.0f} ms of CPU a row", flush=True)
    tokens = sum(bench.rows["length"]) / bench.count
    print(f"{bench.count} rows of {tokens:.0f} tokens on average, {torch.get_num_threads()} threads")
    for measure, name in enumerate(("wall", "CPU")):
        print(f"by {name} time: {json.dumps(ratios(seconds, measure))}")
    print(json.dumps(ratios(seconds, 0)))


def ratios(seconds: dict[str, list[tuple[float, float]]], measure: int) -> dict[str, float]:
    """How many times faster ours was than each other arm, by the median of each."""
    usual = {name: statistics.median(repeat[measure] for repeat in repeats) for name, repeats in seconds.items()}
    return {f"vs_{name}": round(value / usual["ours"], 3) for name, value in usual.items() if name != "ours"}


if __name__ == "__main__":
    main()
