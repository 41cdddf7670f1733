"""Fact tokens in a tokenizer and in a model's embeddings."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from torch import Tensor

TokenInit = Literal["mean", "compose", "random"]


def add_fact_tokens(tokenizer: Any, tokens: Sequence[str]) -> list[str]:
    """Add the tokens that the tokenizer lacks, and return those. They are ordinary text when decoded, not special tokens."""
    from tokenizers import AddedToken

    vocabulary = tokenizer.get_vocab()
    missing = [token for token in dict.fromkeys(tokens) if token not in vocabulary]
    tokenizer.add_tokens([AddedToken(token, normalized=False, special=False) for token in missing])
    return missing


def equation(token: str) -> str | None:
    """The equation that a multiplication fact's name spells: `<MUL_7_8_56>` is "7 × 8 = 56"."""
    match = re.fullmatch(r"<MUL_(\d+)_(\d+)_(\d+)>", token)
    return f"{match[1]} × {match[2]} = {match[3]}" if match else None


def extend_model(
    model: Any, tokenizer: Any, added: Sequence[str], init: TokenInit, equations: Mapping[str, str] | None = None
) -> None:
    """Give the tokens just added a row in the embedding, and in the head where it is not tied.

    A matrix that has room already (padded vocabularies have) keeps its size; one that grows keeps the multiple of its padding.
    """
    if not added:
        return
    embedding = model.get_input_embeddings()
    rows = embedding.weight.shape[0]
    new = set(tokenizer.convert_tokens_to_ids(list(added)))
    old = [index for index in range(min(rows, len(tokenizer))) if index not in new]
    if len(tokenizer) > rows:
        model.resize_token_embeddings(len(tokenizer), pad_to_multiple_of=_padding(rows, len(old)), mean_resizing=False)
    matrices = {id(layer.weight): layer for layer in (model.get_input_embeddings(), model.get_output_embeddings()) if layer}
    for layer in matrices.values():
        _initialise(layer, tokenizer, added, old, init, equations or {}, model.config.get_text_config().initializer_range)


def _padding(rows: int, used: int) -> int | None:
    """The multiple to which a vocabulary was padded (64 or 128), None where it was not padded at all."""
    return next((multiple for multiple in (128, 64) if rows % multiple == 0 and rows > used), None)


def _initialise(
    layer: Any,
    tokenizer: Any,
    added: Sequence[str],
    old: Sequence[int],
    init: TokenInit,
    equations: Mapping[str, str],
    deviation: float,
) -> None:
    import torch

    with torch.no_grad():
        for values in (layer.weight, getattr(layer, "bias", None)):
            if values is None:
                continue
            mean = values[list(old)].mean(dim=0)
            for token in added:
                index = tokenizer.convert_tokens_to_ids(token)
                values[index] = _start(token, values, mean, tokenizer, init, equations, deviation)


def _start(
    token: str,
    values: Tensor,
    mean: Tensor,
    tokenizer: Any,
    init: TokenInit,
    equations: Mapping[str, str],
    deviation: float,
) -> Tensor:
    import torch

    if init == "random":
        return torch.randn_like(mean) * deviation if values.dim() == 2 else torch.zeros_like(mean)
    spelled = equations.get(token) or equation(token)
    if init == "compose" and spelled:
        pieces = tokenizer(spelled, add_special_tokens=False)["input_ids"]
        return values[pieces].mean(dim=0)
    return mean
