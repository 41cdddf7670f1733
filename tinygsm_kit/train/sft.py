"""Supervised fine-tuning with TRL: the built-in trainer `sft`."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, ClassVar

from tinygsm_kit.interfaces import TrainContext
from tinygsm_kit.train.options import OwnOptions, SFTOptions


class SFT:
    """Fine-tunes one model on prompt and completion rows with TRL's SFTTrainer. Options are TRL's own, and a few more."""

    Options: ClassVar[type[OwnOptions]] = SFTOptions
    version: ClassVar[str] = "1"

    def __init__(self, options: OwnOptions) -> None:
        self.options = options

    def train(self, context: TrainContext) -> Path:
        """Train, from the last checkpoint where there is one, and return the model directory. Raises TrainingError."""
        # What is trained here is nobody else's business; whoever wants to be counted sets the variable to 0.
        os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
        from tinygsm_kit.train.run import train

        return train(self.options, context)


def summary(model: Path) -> dict[str, Any]:
    """What a training noted beside its model: rows in and out, rejected by reason, steps, seconds, final loss."""
    import json

    from tinygsm_kit.train.saving import SUMMARY_FILE

    return dict(json.loads((model / SUMMARY_FILE).read_text(encoding="utf-8")))
