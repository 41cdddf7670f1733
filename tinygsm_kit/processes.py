"""Start a module of the kit in processes of its own: under `accelerate launch`, or alone on one device."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Mapping, Sequence
from pathlib import Path

from tinygsm_kit.errors import KitError

LINES_KEPT = 20
"""Last lines of a process that failed, for the error's message."""
PARENT_HOLDS_INPUT = "TINYGSM_KIT_PARENT_HOLDS_INPUT"
"""Set where standard input is a pipe that its parent never writes to: it closes when the parent ends, however that comes."""
CPU = {"CUDA_VISIBLE_DEVICES": "", "ACCELERATE_USE_CPU": "true"}


class DeviceError(KitError):
    """A device that was asked for is not there."""


def accelerated(module: str, call: Path, config_file: Path | str | None, arguments: Sequence[str]) -> int:
    """`accelerate launch -m MODULE CALL`; returns its status. `config_file` is what `accelerate config` wrote."""
    config = ["--config_file", str(config_file)] if config_file else []
    command = ["-m", "accelerate.commands.launch", *config, *arguments, "-m", module, str(call)]
    return subprocess.run([sys.executable, *command], check=False).returncode


def on_device(module: str, call: Path, device: str) -> tuple[int, str]:
    """`python -m MODULE CALL` with one device in sight; returns its status and the last lines of what it said.

    What it says is passed on line by line, so that several processes do not draw their progress over each other's.
    """
    environment = {**os.environ, **visible(device, os.environ), PARENT_HOLDS_INPUT: "1"}
    said: deque[str] = deque(maxlen=LINES_KEPT)
    command = [sys.executable, "-m", module, str(call)]
    with subprocess.Popen(
        command, env=environment, stdin=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8", errors="replace"
    ) as process:
        for line in process.stderr or ():
            said.append(line)
            sys.stderr.write(line)
    return process.returncode, "".join(said).strip()


def end_with_parent() -> None:
    """End this process when the one that started it by `on_device` does: a run that was killed trains no further."""

    def watch() -> None:
        os.read(0, 1)
        os._exit(1)

    if os.environ.get(PARENT_HOLDS_INPUT):
        threading.Thread(target=watch, daemon=True).start()


def visible(device: str, environment: Mapping[str, str]) -> dict[str, str]:
    """What makes a process see one device: `cpu`, or a GPU by its number among those in sight (`0`, `cuda:0`) or its UUID.

    Raises DeviceError for anything else.
    """
    if device == "cpu":
        return CPU
    if device.startswith(("GPU-", "MIG-")):
        return {"CUDA_VISIBLE_DEVICES": device}
    number = device.removeprefix("cuda:")
    seen = [name.strip() for name in environment.get("CUDA_VISIBLE_DEVICES", "").split(",") if name.strip()]
    if not number.isdigit() or (seen and int(number) >= len(seen)):
        among = f"; CUDA_VISIBLE_DEVICES has {len(seen)}" if seen else ""
        raise DeviceError(f"device {device!r}: expected cpu, 0, 1, … or cuda:0, or the UUID of a GPU{among}")
    return {"CUDA_VISIBLE_DEVICES": seen[int(number)] if seen else number}


def check_devices(devices: Sequence[str]) -> None:
    """Raises DeviceError where one of them is not there: a process that sees no GPU would train on the CPU instead."""
    numbers = [int(device.removeprefix("cuda:")) for device in devices if visible(device, os.environ) and _is_number(device)]
    if not numbers:
        return
    import torch

    if max(numbers) >= torch.cuda.device_count():
        raise DeviceError(
            f"device {max(numbers)}: expected a GPU's number below {torch.cuda.device_count()}, the number of those in sight"
        )


def _is_number(device: str) -> bool:
    return device.removeprefix("cuda:").isdigit()
