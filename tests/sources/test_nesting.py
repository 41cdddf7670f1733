"""Rungs of a scaling ladder: subsets of what was made from a sample, each inside the next."""

import itertools
import tempfile
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tinygsm_kit import parts
from tinygsm_kit.records import Counts
from tinygsm_kit.sources.errors import SourceError
from tinygsm_kit.sources.nesting import first_rows

ROWS = st.dictionaries(st.integers(0, 2**64 - 1).map("{:016x}".format), st.integers(0, 4), min_size=2, max_size=120)


def write(folder: Path, difficulties: dict[str, int], lost: int = 0, a_part: int = 40) -> tuple[Path, Path]:
    """A sample and what was made of it: `lost` rows fewer, in the parts of the sample."""
    ids = list(difficulties)
    for number, start in enumerate(range(0, len(ids), a_part)):
        block = ids[start : start + a_part]
        problems = [
            {"id": each, "question": f"{each}?", "program": "", "answer": "1", "difficulty": difficulties[each], "source": ""}
            for each in block
        ]
        made = [{"problem_id": each, "question": f"{each}?", "text": "#### 1", "tokens": 0} for each in block]
        parts.write_part(parts.part_path(folder / "sample", number), problems, parts.PROBLEM_COLUMNS)
        parts.write_part(parts.part_path(folder / "made", number), made[lost if number == 0 else 0 :], parts.INJECTED_COLUMNS)
    return folder / "sample", folder / "made"


def ids_in(folder: Path) -> list[str]:
    return [row["problem_id"] for row in parts.read_rows(parts.part_paths(folder))]


@settings(max_examples=60, deadline=None)
@given(ROWS, st.integers(0, 2**31), st.booleans(), st.data())
def test_a_rung_lies_inside_every_larger_one(rows, seed, stratified, data):
    lost = data.draw(st.integers(0, min(20, len(rows) - 2)))
    sizes = sorted(data.draw(st.lists(st.integers(1, len(rows) - lost), min_size=2, max_size=4, unique=True)))
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        sample, made = write(folder, rows, lost)
        by = "difficulty" if stratified else None
        for size in sizes:
            counts = first_rows(sample, made, folder / str(size), size=size, stratify=by, seed=seed)
            assert counts == Counts(len(rows) - lost, size, {}, {"not_drawn": len(rows) - lost - size})
        rungs = [ids_in(folder / str(size)) for size in sizes]
        assert [len(rung) for rung in rungs] == sizes
        for rung in rungs:  # rows stay in the order in which they lie
            assert rung == [each for each in ids_in(made) if each in set(rung)]
        for smaller, larger in itertools.pairwise(rungs):
            assert set(smaller) <= set(larger)


def test_a_rung_holds_each_difficulty_in_its_proportion(tmp_path):
    rows = {f"{number * 2654435761 % 2**64:016x}": number % 10 // 7 for number in range(400)}
    sample, made = write(tmp_path, rows)
    first_rows(sample, made, tmp_path / "rung", size=40, stratify="difficulty", seed=1)
    assert Counter(rows[each] for each in ids_in(tmp_path / "rung")) == {0: 28, 1: 12}
    first_rows(sample, made, tmp_path / "other", size=40, stratify="difficulty", seed=2)
    assert ids_in(tmp_path / "other") != ids_in(tmp_path / "rung")


def test_a_rung_is_the_draw_that_a_sample_of_that_size_would_have_been(tmp_path):
    """Where no row is lost on the way, a rung of 30 rows is what `sample: {size: 30}` draws."""
    from tinygsm_kit import get
    from tinygsm_kit.sources.sampling import sample

    ids = {}
    for size in (30, 90):
        source = get("source", "drills", kinds=["addition"])
        sample(source, tmp_path / f"sample-{size}", size=size, stratify=None, shards=3, seed=7, workers=1)
        ids[size] = [row["id"] for row in parts.read_rows(parts.part_paths(tmp_path / f"sample-{size}"))]
    made = [{"problem_id": each, "question": "?", "text": "", "tokens": 0} for each in ids[90]]
    parts.write_part(parts.part_path(tmp_path / "made", 0), made, parts.INJECTED_COLUMNS)
    first_rows(tmp_path / "sample-90", tmp_path / "made", tmp_path / "rung", size=30, stratify=None, seed=7)
    assert sorted(ids_in(tmp_path / "rung")) == sorted(ids[30])


def test_a_killed_rung_goes_on_from_its_whole_parts(tmp_path):
    rows = {f"{number:016x}": 1 for number in range(100)}
    sample, made = write(tmp_path, rows)
    ask = {"size": 50, "stratify": None, "seed": 3}
    first_rows(sample, made, tmp_path / "whole", **ask)
    first_rows(sample, made, tmp_path / "killed", **ask)
    parts.part_path(tmp_path / "killed", 1).unlink()
    before = parts.part_path(tmp_path / "killed", 0).stat().st_mtime_ns
    first_rows(sample, made, tmp_path / "killed", **ask)
    assert parts.part_path(tmp_path / "killed", 0).stat().st_mtime_ns == before
    paths = zip(parts.part_paths(tmp_path / "whole"), parts.part_paths(tmp_path / "killed"), strict=True)
    assert all(one.read_bytes() == other.read_bytes() for one, other in paths)


def test_a_rung_larger_than_the_run_is_refused(tmp_path):
    sample, made = write(tmp_path, {f"{number:016x}": 1 for number in range(10)}, lost=2)
    with pytest.raises(SourceError, match="expected at least 9 rows for a rung of the ladder, found 8"):
        first_rows(sample, made, tmp_path / "rung", size=9, stratify=None, seed=1)
