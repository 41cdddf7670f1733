"""The recipe's `evaluate` section."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from tinygsm_kit.interfaces import LocalPath, Options


class EvaluateOptions(Options):
    """Which tasks a trained model is asked, and how lm-eval runs them."""

    tasks: tuple[str, ...] = Field(
        ("gsm8k_tgsm", "mul_probes"), min_length=1, description="The kit's tasks, probe suites of plugins, or any lm-eval task."
    )
    gsm8k: LocalPath | None = Field(
        None, description="Local file or folder with GSM8K's test split; the hub where it is not given."
    )
    data: dict[str, LocalPath] = Field(
        default_factory=dict, description="Local files of other question sets: svamp, asdiv, gsm_hard."
    )
    limit: int | None = Field(None, ge=1, description="Questions a task at most; for trying things out.")
    batch_size: int = Field(64, ge=1, description="Sequences that are generated at a time.")
    device: str | None = Field(None, description="cpu, cuda, cuda:1, mps; the best there is where it is not given.")
    backend: str = Field("hf", description="lm-eval's model class: hf, vllm or any other.")
    model_args: dict[str, Any] = Field(default_factory=dict, description="Further arguments for that class, such as dtype.")
