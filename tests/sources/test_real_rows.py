"""Six thousand rows as language models wrote them. They are not part of the repository: absent, these tests skip."""

import json
from pathlib import Path

import pytest

from tinygsm_kit.parts import part_paths, read_rows
from tinygsm_kit.plugins import get
from tinygsm_kit.sources.sampling import sample

DATA = Path(__file__).parents[3] / "shared" / "data"
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not (DATA / "tinygsm").is_dir(), reason="the real rows are not at ../shared/data/tinygsm"),
]


@pytest.fixture(scope="module")
def drawn(tmp_path_factory):
    folder = tmp_path_factory.mktemp("real")
    exam = [json.loads(line)["question"] for line in (DATA / "gsm8k" / "test.jsonl").open(encoding="utf-8")]
    source = get("source", "tinygsm", path=DATA / "tinygsm")
    counts = sample(
        source, folder, size=None, stratify="difficulty", shards=3, seed=1, workers=2, decontaminate={"gsm8k": exam}
    )
    return folder, counts


def test_every_row_is_accounted_for(drawn):
    folder, counts = drawn
    accepted = list(read_rows(part_paths(folder), ["id", "answer"]))
    rejected = list(read_rows(part_paths(folder, "rejected")))
    assert counts.rows_in == 6_000 == len(accepted) + len(rejected)
    assert len({row["id"] for row in accepted}) == len(accepted) > 5_000
    assert all(row["answer"] for row in accepted)
    assert all(row["reason"] and row["stage"] == "sample" and (row["row"] or row["reason"] == "duplicate") for row in rejected)


def test_no_training_question_shares_thirteen_words_with_the_exam(drawn):
    _, counts = drawn
    assert counts.extra["overlap"]["gsm8k"].get("13", 0) == counts.rejected.get("contaminated", 0)
    assert counts.extra["overlap"]["gsm8k"]["8"] > 0
