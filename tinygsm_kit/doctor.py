"""What a run would find here: versions, devices, credentials, disk, network."""

from __future__ import annotations

import os
import platform
import shutil
from importlib import metadata
from pathlib import Path

from platformdirs import user_cache_path

from tinygsm_kit.manifest import PACKAGES, environment

CREDENTIALS = ("OPENAI_API_KEY", "ANTHROPIC_API_KEY", "HF_TOKEN", "WANDB_API_KEY")
OFFLINE = ("HF_HUB_OFFLINE", "HF_DATASETS_OFFLINE", "TRANSFORMERS_OFFLINE")


def examine() -> str:
    """A plain report, a fact a line. Credentials are said to be present or not, and never shown."""
    found = environment()
    lines = [f"tinygsm-kit {found['kit']}, Python {platform.python_version()}, {platform.system()} {platform.machine()}"]
    lines += [f"  {name} {found['versions'].get(name, 'is not installed')}" for name in PACKAGES]
    lines += [f"  {name} {_version(name)}" for name in ("ray", "vllm", "flash-attn")]
    lines += ["devices", *(f"  {line}" for line in _devices())]
    lines += ["credentials", *(f"  {name} {'is set' if os.environ.get(name) else 'is not set'}" for name in CREDENTIALS)]
    lines += ["disk", *(f"  {_free(path)}" for path in (Path.cwd(), user_cache_path("tinygsm-kit")))]
    offline = [name for name in OFFLINE if os.environ.get(name, "0") not in ("", "0")]
    lines.append(f"network: {'offline by ' + ', '.join(offline) if offline else 'hubs may be asked'}")
    return "\n".join(lines)


def _version(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return "is not installed (optional)"


def _devices() -> list[str]:
    import torch

    lines = [f"{os.cpu_count()} CPU cores, {torch.get_num_threads()} threads for torch"]
    for index in range(torch.cuda.device_count()):
        properties = torch.cuda.get_device_properties(index)
        lines.append(f"cuda:{index} {properties.name}, {properties.total_memory / 2**30:.0f} GiB")
    if torch.backends.mps.is_available():
        lines.append("mps")
    return lines


def _free(path: Path) -> str:
    existing = next(folder for folder in (path, *path.parents) if folder.exists())
    return f"{path}: {shutil.disk_usage(existing).free / 2**30:.0f} GiB free"
