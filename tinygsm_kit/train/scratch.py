"""A tokenizer and a model from scratch."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from tinygsm_kit import parts
from tinygsm_kit.train.errors import TrainingError
from tinygsm_kit.train.options import ScratchModel, TokenizerTraining

EOS, PAD = "<|endoftext|>", "<|pad|>"

SINGLE_DIGITS = (
    r"\p{N}"  # A digit stands alone.
    r"|(?<=\p{N}) [^\s\p{L}\p{N}]+ (?=\p{N})|[,;] (?=\p{N})|\n#+ (?=\p{N})"  # Signs take the gap before a number: ` × `.
    r"|'\p{L}+| ?\p{L}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"  # Words and signs as in GPT-2.
)
"""What BPE never merges across. A gap before a digit would otherwise be a token of its own: one in five in arithmetic.

Words and colons take no gap: prompts end in them, and must end in the same token without the answer behind them.
"""


def train_tokenizer(
    texts: Iterator[str], spec: TokenizerTraining, max_length: int | None = None, model_type: str | None = None
) -> Any:
    """Byte-level BPE with an end and a padding token of its own. The same texts give the same tokenizer.

    With `model_type` it cuts text as `AutoTokenizer` will when it loads the saved model.
    """
    from tokenizers import pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    kind: Any = PreTrainedTokenizerFast
    ends = {"eos_token": EOS, "pad_token": PAD, **({"model_max_length": max_length} if max_length else {})}
    backend = _untrained(spec)
    if model_type is not None:
        _cut_as_loaded(backend, model_type, kind(tokenizer_object=backend, **ends))
    trainer = trainers.BpeTrainer(
        vocab_size=spec.vocab_size,
        special_tokens=[EOS, PAD],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    backend.train_from_iterator(texts, trainer)
    return kind(tokenizer_object=backend, **ends)


def _untrained(spec: TokenizerTraining) -> Any:
    from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers

    single = spec.digits == "single"
    byte_level = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=not single)
    pieces = pre_tokenizers.Split(Regex(SINGLE_DIGITS), "isolated")
    backend = Tokenizer(models.BPE())
    backend.pre_tokenizer = pre_tokenizers.Sequence([pieces, byte_level]) if single else byte_level
    backend.decoder = decoders.ByteLevel()
    return backend


def _cut_as_loaded(backend: Any, model_type: str, tokenizer: Any) -> None:
    """Take over how text is cut by the class that AutoTokenizer insists on for a kind of model.

    For some, such as Qwen2, it takes the model's own class whatever class was saved, and that class cuts in its own way:
    https://github.com/huggingface/transformers/blob/main/src/transformers/models/auto/tokenization_auto.py
    (`MODELS_WITH_INCORRECT_HUB_TOKENIZER_CLASS`).
    """
    from transformers import AutoConfig, AutoTokenizer

    with TemporaryDirectory() as folder:
        AutoConfig.for_model(model_type).save_pretrained(folder)
        tokenizer.save_pretrained(folder)
        loaded: Any = AutoTokenizer.from_pretrained(folder)
    if type(loaded) is not type(tokenizer):
        backend.normalizer = loaded.backend_tokenizer.normalizer
        backend.pre_tokenizer = loaded.backend_tokenizer.pre_tokenizer


def training_texts(folders: Sequence[Path], prompt: str, tokens: Sequence[str], rows: int) -> Iterator[str]:
    """Prompts and completions of all conditions in turn, fact tokens taken out: they are whole tokens of their own."""
    facts = re.compile("|".join(map(re.escape, sorted(tokens, key=len, reverse=True)))) if tokens else None
    streams = [parts.read_rows(parts.part_paths(folder), ["question", "text"]) for folder in folders]
    for batch in islice(zip(*streams, strict=False), rows):
        for row in batch:
            text = f"{prompt.format(question=row['question'])} {row['text']}"
            yield facts.sub(" ", text) if facts else text


def build_model(spec: ScratchModel, tokenizer: Any, seed: int) -> Any:
    """A randomly initialised model whose vocabulary is the tokenizer's. The same seed gives the same weights."""
    from transformers import AutoConfig, AutoModelForCausalLM, set_seed

    fields = {key: value for key, value in spec.config.items() if key != "model_type"}
    fields.setdefault("vocab_size", len(tokenizer))
    if fields["vocab_size"] < len(tokenizer):
        raise TrainingError(
            f"model.config.vocab_size is {fields['vocab_size']}, but the tokenizer with the fact tokens has {len(tokenizer)} "
            "entries: leave vocab_size out, or raise it"
        )
    fields.update(bos_token_id=tokenizer.bos_token_id, eos_token_id=tokenizer.eos_token_id, pad_token_id=tokenizer.pad_token_id)
    try:
        config = AutoConfig.for_model(spec.config["model_type"], **fields)
        set_seed(seed)
        return AutoModelForCausalLM.from_config(config)  # type: ignore[no-untyped-call]
    except (TypeError, ValueError) as error:
        raise TrainingError(f"model.config does not describe a {spec.config['model_type']} model: {error}") from error
