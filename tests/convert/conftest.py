"""What the tests of paid conversion share: a ledger of their own, a sample to convert, and the way to run the stage."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tinygsm_kit.convert.options import HostOptions
from tinygsm_kit.convert.stage import convert
from tinygsm_kit.parts import PROBLEM_COLUMNS, part_path, write_part
from tinygsm_kit.progress import Silent
from tinygsm_kit.records import Counts

KEY = "sk-test-0123456789abcdefghijklmnop"


@pytest.fixture(autouse=True)
def _own_ledger(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TINYGSM_KIT_CACHE", str(tmp_path_factory.mktemp("cache")))
    monkeypatch.setenv("OPENAI_API_KEY", KEY)


def row(number: int) -> dict[str, Any]:
    """A problem whose answer is its number and sixty."""
    return {
        "id": f"{number:016x}", "question": f"Tom has {number} eggs and buys 5 boxes of 12. How many eggs has he?",
        "program": f"def f():\n    return {number} + 5 * 12", "answer": str(number + 60), "difficulty": 2, "source": "test",
    }  # fmt: skip


@pytest.fixture
def sample(tmp_path: Path) -> Callable[..., Path]:
    """`sample(500, 300)` writes parts of so many rows and returns their folder."""

    def write(*parts: int, folder: str = "sample") -> Path:
        first = 0
        for index, rows in enumerate(parts):
            write_part(part_path(tmp_path / folder, index), (row(first + offset) for offset in range(rows)), PROBLEM_COLUMNS)
            first += rows
        return tmp_path / folder

    return write


@pytest.fixture
def run() -> Callable[..., Counts]:
    """`run(sample, folder, {options}, **host)` runs the stage in this process."""

    def go(source: Path, folder: Path, options: dict[str, Any] | None = None, converter: str = "openai", **host: Any) -> Counts:
        return convert(source, folder, converter=converter, options=options or {}, host=HostOptions(**host), seed=0,
                       workers=1, progress=Silent())  # fmt: skip

    return go


@pytest.fixture
def contents() -> Callable[[Path], dict[str, bytes]]:
    """Every part's bytes by name."""
    return lambda folder: {path.name: path.read_bytes() for path in sorted(folder.glob("*.parquet"))}


@pytest.fixture
def api_key() -> str:
    """What the environment holds as OPENAI_API_KEY."""
    return KEY
