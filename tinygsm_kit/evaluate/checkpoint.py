"""What evaluation must know of a model before it answers: its prompt, its tokenizer, its context, its injectors."""

from __future__ import annotations

import functools
import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tinygsm_kit.errors import KitError

SETTINGS_FILE = "tinygsm_kit.json"
"""Written beside the weights by the trainer: the prompt and the fact tokens that the model was trained with."""

DEFAULT_PROMPT = "User: {question}\nAssistant:"


class CheckpointError(KitError):
    """A model's settings cannot be used. The message names the file, what was expected and what was found."""


@dataclass(frozen=True)
class Checkpoint:
    """A model as lm-eval's `--model_args` name it: a directory or hub id, with its tokenizer and revision where given."""

    pretrained: str | None = None
    tokenizer: str | None = None
    revision: str | None = None

    @classmethod
    def named_in(cls, metadata: Mapping[str, Any]) -> Checkpoint:
        """From lm-eval's metadata, into which it merges `--model_args`. API models give `model` and perhaps `tokenizer`."""
        tokenizer = metadata.get("tokenizer")
        revision = metadata.get("revision")
        pretrained = metadata.get("pretrained")
        return cls(*(str(value) if value else None for value in (pretrained, tokenizer, revision)))

    @functools.cached_property
    def settings(self) -> Mapping[str, Any]:
        """What `tinygsm_kit.json` says; empty where the model has none."""
        path = self._file(SETTINGS_FILE)
        if path is None:
            return {}
        try:
            settings = json.loads(path.read_text(encoding="utf-8"))
        except ValueError as error:
            raise CheckpointError(f"{path}: expected a JSON object, found {error}") from error
        if not isinstance(settings, dict):
            raise CheckpointError(f"{path}: expected a JSON object, found {type(settings).__name__}")
        return settings

    @property
    def prompt(self) -> str:
        """The template that the model was trained with; contains `{question}`."""
        prompt = self.settings.get("prompt", DEFAULT_PROMPT)
        if not isinstance(prompt, str) or "{question}" not in prompt:
            raise CheckpointError(
                f"{self.pretrained}/{SETTINGS_FILE}: expected 'prompt' to contain '{{question}}', found {prompt!r}"
            )
        return prompt

    def _file(self, name: str) -> Path | None:
        if self.pretrained is None:
            return None
        if Path(self.pretrained).is_dir():
            path = Path(self.pretrained) / name
            return path if path.is_file() else None
        from transformers.utils.hub import cached_file

        found = cached_file(
            self.pretrained,
            name,
            revision=self.revision,
            _raise_exceptions_for_gated_repo=False,
            _raise_exceptions_for_missing_entries=False,
            _raise_exceptions_for_connection_errors=False,
        )
        return Path(found) if found else None

    def token_counter(self) -> Callable[[str], int] | None:
        """How many tokens a text is to this model; None where its tokenizer cannot be had (some API models)."""
        name = self.tokenizer or self.pretrained
        tokenizer = _tokenizer(name, self.revision) if name else None
        if tokenizer is None:
            return None
        return lambda text: len(tokenizer.encode(text, add_special_tokens=False))

    def context(self) -> int | None:
        """Positions that the model has room for; None where its configuration does not say."""
        if self.pretrained is None:
            return None
        from transformers import AutoConfig

        try:
            config = AutoConfig.from_pretrained(self.pretrained, revision=self.revision or "main")
        except (OSError, ValueError):
            return None
        config = getattr(config, "text_config", None) or config
        sizes = (getattr(config, name, None) for name in ("n_positions", "max_position_embeddings", "n_ctx"))
        return next((int(size) for size in sizes if size), None)

    def fingerprint(self) -> str:
        """SHA-256 over the names and bytes of a local model's files; over id and revision for one on the hub."""
        digest = hashlib.sha256(repr((self.tokenizer, self.revision)).encode())
        folder = Path(self.pretrained or "")
        if self.pretrained is None or not folder.is_dir():
            digest.update(str(self.pretrained).encode())
            return digest.hexdigest()[:16]
        for path in sorted(path for path in folder.iterdir() if path.is_file()):
            digest.update(path.name.encode())
            with path.open("rb") as file:
                digest.update(hashlib.file_digest(file, "sha256").digest())
        return digest.hexdigest()[:16]


@functools.lru_cache(maxsize=4)
def _tokenizer(name: str, revision: str | None) -> Any:
    from transformers import AutoTokenizer

    try:
        return AutoTokenizer.from_pretrained(name, revision=revision or "main")
    except (OSError, ValueError):
        return None
