"""Rows token by token, with what each token is to the loss: for `tinygsm-kit show RUN --labels`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Literal

from tinygsm_kit.train.data import IGNORED, Encoder

Role = Literal["prompt", "supervised", "masked"]
"""`masked` is anything that is neither: a special token before the prompt, or padding."""


def render_labels(
    model: Path | str, rows: Iterable[dict[str, Any]], prompt: str, max_length: int | None = None
) -> Iterator[list[tuple[str, Role]]]:
    """Each row (`question`, `text`) as (token, role) pairs, through the tokenizer and the collator that training uses.

    `model` is a model directory or hub id; its tokenizer is read, the model is not. Rows come back as one batch of two, so
    that padding is seen too.
    """
    from transformers import AutoTokenizer
    from trl.trainer.sft_trainer import DataCollatorForLanguageModeling

    tokenizer = AutoTokenizer.from_pretrained(str(model))
    pad = tokenizer.pad_token_id if tokenizer.pad_token_id is not None else tokenizer.eos_token_id
    encoder, collate = Encoder(tokenizer, prompt, max_length), DataCollatorForLanguageModeling(pad_token_id=pad)
    batch = list(rows)
    encoded = encoder.encode(batch)
    examples = [{"input_ids": ids, "labels": [IGNORED] * prompt_length + ids[prompt_length:]} for ids, prompt_length in encoded]
    collated = collate(examples) if examples else {"input_ids": [], "labels": []}
    for (ids, prompt_length), all_ids, labels in zip(encoded, collated["input_ids"], collated["labels"], strict=True):
        roles = _roles(all_ids.tolist(), labels.tolist(), len(ids), prompt_length, tokenizer.all_special_ids)
        yield list(zip(_pieces(all_ids.tolist(), tokenizer), roles, strict=True))


def _roles(ids: Sequence[int], labels: Sequence[int], length: int, prompt: int, special: Sequence[int]) -> Iterator[Role]:
    for place, (token, label) in enumerate(zip(ids, labels, strict=True)):
        if label != IGNORED:
            yield "supervised"
        else:
            yield "prompt" if place < min(prompt, length) and token not in special else "masked"


def _pieces(ids: Sequence[int], tokenizer: Any) -> list[str]:
    """The text of each token; of a token that is part of a character, its byte's stand-in."""
    return [tokenizer.decode([token], clean_up_tokenization_spaces=False) for token in ids]
