"""Rows for training: prompt and completion, tokenized once, the end supervised once, nothing cut.

The rows lie in an Arrow file that is mapped into memory, so that twelve million of them cost no more than a thousand.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice, zip_longest
from pathlib import Path
from typing import Any

from tinygsm_kit import parts
from tinygsm_kit.records import Counts, Rejection
from tinygsm_kit.train.errors import TrainingError

IGNORED = -100
"""The label of a position that is not trained on, as in PyTorch's cross entropy."""
_COLUMNS = ["problem_id", "question", "text"]
_BATCH = 1_000


@dataclass(frozen=True)
class Encoded:
    """Token ids and labels of one row. `length` groups rows in batches and is the same in every condition."""

    input_ids: list[int]
    labels: list[int]
    length: int


class Encoder:
    """Turns rows into token ids and labels with one tokenizer and one prompt."""

    def __init__(self, tokenizer: Any, prompt: str, max_length: int | None) -> None:
        self.tokenizer, self.prompt, self.max_length = tokenizer, prompt, max_length
        self.eos: str = tokenizer.eos_token
        self.eos_id: int = tokenizer.eos_token_id
        if not self.eos:
            raise TrainingError(
                "the tokenizer has no end-of-sequence token, so a model could never learn to stop: set eos_token"
            )

    def texts(self, row: dict[str, Any]) -> tuple[str, str]:
        """Prompt and completion; the completion ends in the end-of-sequence token."""
        return self.prompt.format(question=row["question"]), f" {row['text']}{self.eos}"

    def encode(self, rows: Sequence[dict[str, Any]]) -> list[tuple[list[int], int]]:
        """Per row the ids of prompt and completion together, and how many of them belong to the prompt alone."""
        pairs = [self.texts(row) for row in rows]
        prompts = self._ids([prompt for prompt, _ in pairs])
        wholes = self._ids([prompt + completion for prompt, completion in pairs])
        return [(whole, _common_prefix(prompt, whole)) for prompt, whole in zip(prompts, wholes, strict=True)]

    def lengths(self, rows: Sequence[dict[str, Any]]) -> list[int]:
        """Per row the number of ids of prompt and completion together."""
        return [len(ids) for ids in self._ids(["".join(self.texts(row)) for row in rows])]

    def _ids(self, texts: list[str]) -> list[list[int]]:
        return self.tokenizer(texts, return_attention_mask=False)["input_ids"] if texts else []

    def fault(self, ids: list[int], length: int) -> tuple[str, str] | None:
        """Why a row cannot be trained on, as (reason, detail); None where it can. `length` is the longest of all conditions."""
        ends = ids.count(self.eos_id)
        if ends != 1 or ids[-1] != self.eos_id:
            return "eos_inside", f"{ends} end-of-sequence tokens, expected one, at the end"
        if self.max_length is not None and length > self.max_length:
            return "too_long", f"{length} tokens in its longest condition, max_length is {self.max_length}"
        return None


def _common_prefix(left: Sequence[int], right: Sequence[int]) -> int:
    """How many ids two sequences share at their start: where the completion begins, as TRL reckons it."""
    if right[: len(left)] == left:
        return len(left)
    return next(index for index, (one, other) in enumerate(zip(left, right, strict=False)) if one != other)


def encode_parts(folder: Path, siblings: Sequence[Path], encoder: Encoder, counts: Counts) -> Iterator[Encoded | Rejection]:
    """Every row of a condition's parts, encoded or rejected, in their order.

    A row that is too long in one condition is rejected in all, and a row's `length` is that of its longest condition: every
    condition is trained on the same rows in the same order. Where the conditions do not share their rows (they differ in
    converter or mixture), a condition stands for itself.
    """
    others = [other for other in siblings if other != folder] if shares_rows(folder, siblings) else []
    for rows, *versions in zip(*(_batches(source, _COLUMNS) for source in (folder, *others)), strict=True):
        encoded = encoder.encode(rows)
        lengths = [len(ids) for ids, _ in encoded]
        for version in versions:
            lengths = _longer(lengths, rows, version, encoder)
        for row, (ids, prompt_length), length in zip(rows, encoded, lengths, strict=True):
            counts.rows_in += 1
            fault = encoder.fault(ids, length)
            if fault is None:
                counts.rows_out += 1
                labels = [IGNORED] * prompt_length + ids[prompt_length:]
                yield Encoded(ids, labels, length)
            else:
                counts.reject(fault[0])
                yield Rejection(row["problem_id"], "train", *fault)


def _longer(
    lengths: Sequence[int], rows: Sequence[dict[str, Any]], version: Sequence[dict[str, Any]], encoder: Encoder
) -> list[int]:
    """The greater of each row's length and that of its version in another condition, tokenized only where the text differs."""
    different = [place for place, (row, other) in enumerate(zip(rows, version, strict=True)) if row["text"] != other["text"]]
    longest = list(lengths)
    for place, length in zip(different, encoder.lengths([version[place] for place in different]), strict=True):
        longest[place] = max(longest[place], length)
    return longest


def shares_rows(folder: Path, siblings: Sequence[Path]) -> bool:
    """Whether all conditions hold the same problems in the same order."""
    for other in siblings:
        if other == folder:
            continue
        pairs = zip_longest(_batches(folder, ["problem_id"]), _batches(other, ["problem_id"]))
        if any(one != two for one, two in pairs):
            return False
    return True


def _batches(folder: Path, columns: Sequence[str]) -> Iterator[list[dict[str, Any]]]:
    rows = parts.read_rows(parts.part_paths(folder), columns)
    while batch := list(islice(rows, _BATCH)):
        yield batch


def write_encoded(rows: Iterator[Encoded | Rejection], file: Path, rejected: Path) -> None:
    """Write rows as one Arrow file that `datasets` maps into memory, and rejections beside the model; whole or not at all."""
    import pyarrow as pa

    ids = pa.list_(pa.int32())
    schema = pa.schema([("input_ids", ids), ("labels", ids), ("length", pa.int32())])
    temporary = file.with_name(f".{file.name}.{os.getpid()}.tmp")
    file.parent.mkdir(parents=True, exist_ok=True)
    refused: list[Rejection] = []
    with pa.OSFile(str(temporary), "wb") as sink, pa.ipc.new_stream(sink, schema) as writer:
        while batch := list(islice(rows, _BATCH)):
            refused.extend(row for row in batch if isinstance(row, Rejection))
            kept = [row for row in batch if isinstance(row, Encoded)]
            columns = ([row.input_ids for row in kept], [row.labels for row in kept], [row.length for row in kept])
            arrays = [pa.array(column, field.type) for column, field in zip(columns, schema, strict=True)]
            writer.write_batch(pa.record_batch(arrays, schema=schema))
    records = [{name: getattr(row, name) for name in parts.REJECTION_COLUMNS} for row in refused]
    parts.write_part(rejected, records, parts.REJECTION_COLUMNS)
    temporary.replace(file)


def read_encoded(file: Path) -> Any:
    """The rows as a `datasets.Dataset`, mapped, not read."""
    from datasets import Dataset

    return Dataset.from_file(str(file))
