"""Stop safety, proved on real rows before the first step: a model that never saw its end supervised never stops."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tinygsm_kit.train.data import IGNORED
from tinygsm_kit.train.errors import TrainingError

SAMPLE_ROWS = 256
"""Rows that go through the production collator before training starts."""


def check_rows(dataset: Any, collator: Any, tokenizer: Any, batch_size: int) -> int:
    """Put real rows through the collator that training uses and check every label. Returns how many rows were checked.

    Raises TrainingError where a row has not exactly one supervised end of sequence as its last supervised token, or where a
    token of the prompt or of the padding is supervised.
    """
    indices = _spread(len(dataset), SAMPLE_ROWS)
    for start in range(0, len(indices), batch_size):
        rows = [dataset[index] for index in indices[start : start + batch_size]]
        batch = collator(rows)
        if "attention_mask" not in batch:
            check_flat(batch, tokenizer.eos_token_id, len(rows))
            continue
        for place, row in enumerate(rows):
            labels = batch["labels"][place].tolist()
            check_row(labels, batch["input_ids"][place].tolist(), row["labels"], tokenizer.eos_token_id, indices[start + place])
    return len(indices)


def check_row(labels: Sequence[int], ids: Sequence[int], original: Sequence[int], eos: int, index: int) -> None:
    """One collated row: the end supervised once and last, the prompt and the padding never, the answer whole."""
    supervised = [place for place, label in enumerate(labels) if label != IGNORED]
    ends = [place for place in supervised if labels[place] == eos]
    prompt = next((place for place, label in enumerate(original) if label != IGNORED), len(original))
    if len(ends) != 1 or ends[-1] != supervised[-1]:
        raise TrainingError(f"row {index}: expected one supervised end of sequence, the last token; found {len(ends)}")
    if supervised[0] < prompt:
        raise TrainingError(f"row {index}: {prompt - supervised[0]} tokens of the prompt are supervised")
    if supervised[-1] >= len(original):
        raise TrainingError(f"row {index}: {supervised[-1] - len(original) + 1} padding tokens are supervised")
    if supervised != list(range(prompt, len(original))) or any(labels[place] != ids[place] for place in supervised):
        raise TrainingError(f"row {index}: the answer is not supervised whole, from its first token to its end")


def check_flat(batch: Any, eos: int, rows: int) -> None:
    """A batch that the collator laid end to end (packing, padding-free): one supervised end for each sequence."""
    labels = batch["labels"]
    ends = int((labels == eos).sum())
    packed = int((batch["position_ids"] == 0).sum())
    if ends != packed:
        raise TrainingError(
            f"{rows} packed rows hold {packed} sequences but {ends} supervised ends of sequence: expected one each"
        )


def _spread(total: int, wanted: int) -> list[int]:
    """`wanted` indices spread evenly over all rows, the first and the last among them."""
    if total <= wanted:
        return list(range(total))
    return sorted({round(index * (total - 1) / (wanted - 1)) for index in range(wanted)})


def check_generation(generation: Any, tokenizer: Any) -> None:
    """What will be saved: the end of sequence stops a generation, padding does not (unless they are the same token)."""
    stops = generation.eos_token_id
    stops = stops if isinstance(stops, list) else [stops]
    if tokenizer.eos_token_id not in stops:
        raise TrainingError(f"generation_config stops at {stops}, expected {tokenizer.eos_token_id} ({tokenizer.eos_token!r})")
    if tokenizer.pad_token_id in stops and tokenizer.pad_token_id != tokenizer.eos_token_id:
        raise TrainingError(f"generation_config stops at the padding token {tokenizer.pad_token!r}: it must not")


def set_generation(model: Any, tokenizer: Any) -> None:
    """Make the end of sequence a stop and the padding token none, in what is saved with the model."""
    generation = model.generation_config
    stops = generation.eos_token_id
    stops = [] if stops is None else stops if isinstance(stops, list) else [stops]
    end, pad = tokenizer.eos_token_id, tokenizer.pad_token_id
    kept = [stop for stop in stops if stop != end and (stop != pad or pad == end) and stop < model.config.vocab_size]
    generation.eos_token_id = [end, *kept] if kept else end
    generation.pad_token_id = pad
    if generation.bos_token_id is not None and tokenizer.bos_token_id is None:
        generation.bos_token_id = None
