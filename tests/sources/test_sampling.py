import json
import logging
from collections import Counter
from dataclasses import replace

import pytest

from tinygsm_kit.parts import count_rows, part_paths, read_rows
from tinygsm_kit.plugins import get
from tinygsm_kit.records import Problem, Rejection, problem_id
from tinygsm_kit.sources import sampling
from tinygsm_kit.sources.errors import SourceError

DEFAULTS = {"size": None, "stratify": "difficulty", "shards": 1, "seed": 7, "workers": 1}


class Rows:
    """A source of given rows, without the raw rows that let workers read."""

    def __init__(self, *rows):
        self.given = rows

    def problems(self):
        return iter(self.given)


def problem(question, body="return 6 * 7", difficulty=1):
    program = f"def solution():\n    {body}"
    return Problem(problem_id(question, program), question, program, difficulty=difficulty, source="test")


def synthetic(size=600, **options):
    return get("source", "synthetic", size=size, **options)


def draw(source, folder, **settings):
    return sampling.sample(source, folder, **{**DEFAULTS, **settings})


def rows(folder, prefix="part"):
    return list(read_rows(part_paths(folder, prefix)))


def files(folder):
    return {path.name: path.read_bytes() for path in sorted(folder.glob("*.parquet"))}


def balances(counts):
    return counts.rows_in == counts.rows_out + sum(counts.rejected.values()) + counts.extra["not_drawn"]


def test_rows_are_run_and_written_with_their_answers(tmp_path):
    counts = draw(Rows(problem("One?"), problem("Two?", "return 10 / 4")), tmp_path)
    assert {row["question"]: row["answer"] for row in rows(tmp_path)} == {"One?": "42", "Two?": "2.5"}
    assert (counts.rows_in, counts.rows_out, counts.rejected) == (2, 2, {})
    assert counts.extra == {
        "asked": None, "drawn": 2, "not_drawn": 0, "difficulty": {"1": 2}, "sources": {"test": 2}, "overlap": {},
    }  # fmt: skip


def test_the_difficulty_is_counted_where_the_source_left_it_out(tmp_path):
    draw(Rows(problem("One?", "return 1 + 2 * 3", difficulty=0)), tmp_path)
    assert [row["difficulty"] for row in rows(tmp_path)] == [2]


def test_every_rejection_lies_beside_with_its_reason(tmp_path):
    unread = Rejection("feed" * 4, "sample", "malformed_json", "line 3", "{")
    given = (
        problem("Good?"), unread, problem("Good?"), problem("Zero?", "return 1 / 0"), problem("Text?", "return 'x'"),
        replace(problem("Broken?", difficulty=0), program="def solution(:"),
    )  # fmt: skip
    counts = draw(Rows(*given), tmp_path)
    found = {row["reason"]: row for row in rows(tmp_path, "rejected")}
    assert set(found) == {"malformed_json", "duplicate", "error", "answer_text", "syntax"}
    assert counts.rejected == dict.fromkeys(sorted(found), 1)
    assert found["malformed_json"] == {
        "problem_id": "feed" * 4, "stage": "sample", "reason": "malformed_json", "detail": "line 3", "row": "{",
    }  # fmt: skip
    assert found["duplicate"]["problem_id"] == problem("Good?").id
    assert found["duplicate"]["detail"] == "row 3 repeats row 1"
    assert "ZeroDivisionError" in found["error"]["detail"]
    assert json.loads(found["error"]["row"]) == {
        "question": "Zero?",
        "program": problem("Zero?", "return 1 / 0").program,
        "source": "test",
    }
    assert counts.rows_in == 6
    assert counts.rows_out == 1
    assert balances(counts)


def test_deliberate_repeats_are_kept_and_others_are_not(tmp_path):
    drills = get("source", "drills", kinds=["mul_table"], repeat=2)
    counts = draw(drills, tmp_path / "a")
    assert counts.rows_out == 162
    doubled = Rows(*drills.problems(), *drills.problems())
    counts = draw(doubled, tmp_path / "b")
    assert (counts.rows_out, counts.rejected) == (162, {"duplicate": 162})
    assert any(row["problem_id"].endswith("#2") for row in rows(tmp_path / "b", "rejected"))


def test_a_smaller_sample_is_inside_a_larger_one(tmp_path):
    ids = {}
    for size in (50, 51, 200, 400):
        draw(synthetic(), tmp_path / str(size), size=size)
        ids[size] = {row["id"] for row in rows(tmp_path / str(size))}
        assert len(ids[size]) == size
    assert ids[50] < ids[51] < ids[200] < ids[400]


def test_difficulties_keep_their_proportions(tmp_path):
    everything = Counter(p.difficulty for p in synthetic().problems())
    counts = draw(synthetic(), tmp_path, size=200)
    drawn = {int(k): v for k, v in counts.extra["difficulty"].items()}
    assert sum(drawn.values()) == 200
    for difficulty, number in everything.items():
        assert abs(drawn.get(difficulty, 0) - number / 3) <= 2
    unstratified = draw(synthetic(), tmp_path / "b", size=200, stratify=None)
    assert unstratified.extra["difficulty"] != counts.extra["difficulty"]


def test_the_order_of_the_source_makes_no_difference(tmp_path):
    problems = list(synthetic(300).problems())
    draw(Rows(*problems), tmp_path / "a", size=100, shards=3)
    draw(Rows(*reversed(problems)), tmp_path / "b", size=100, shards=3)
    assert files(tmp_path / "a") == files(tmp_path / "b")


def test_other_seeds_draw_other_rows(tmp_path):
    for seed in (1, 2):
        draw(synthetic(), tmp_path / str(seed), size=100, seed=seed)
    first, second = ({row["id"] for row in rows(tmp_path / str(seed))} for seed in (1, 2))
    assert first != second


def test_shards_are_even_stratified_samples(tmp_path):
    draw(synthetic(), tmp_path, size=400, shards=4)
    paths = part_paths(tmp_path)
    assert [count_rows([path]) for path in paths] == [100] * 4
    for path in paths:
        ones = sum(row["difficulty"] == 3 for row in read_rows(path))
        assert 20 <= ones <= 34


def test_large_shards_are_cut_into_parts(tmp_path, monkeypatch):
    monkeypatch.setattr(sampling.parts, "PART_ROWS", 30)
    draw(synthetic(), tmp_path, size=200, shards=2)
    sizes = [count_rows([path]) for path in part_paths(tmp_path)]
    assert len(sizes) == 8
    assert sum(sizes) == 200
    assert max(sizes) <= 30


def test_more_shards_than_rows_leave_empty_parts(tmp_path):
    draw(synthetic(3), tmp_path, shards=5)
    assert sorted(count_rows([path]) for path in part_paths(tmp_path)) == [0, 0, 1, 1, 1]


def test_asking_for_more_than_there_is_takes_all_and_says_so(tmp_path, caplog):
    with caplog.at_level(logging.WARNING):
        counts = draw(synthetic(100), tmp_path, size=5_000)
    assert "asked for 5,000 rows, the source has 100: all of them are taken" in caplog.text
    assert counts.rows_out == 100
    assert (counts.extra["asked"], counts.extra["drawn"], counts.extra["not_drawn"]) == (5_000, 100, 0)


def test_undrawn_rows_are_accounted_for(tmp_path):
    counts = draw(synthetic(300), tmp_path, size=100)
    assert counts.extra["not_drawn"] == 200
    assert balances(counts)


def test_the_bytes_are_the_same_whatever_the_number_of_workers(tmp_path):
    for name, number in (("here", 2), ("there", 1)):
        draw(synthetic(1_200), tmp_path / name, size=700, shards=2, workers=number)
    assert files(tmp_path / "here") == files(tmp_path / "there")


def test_a_sample_that_was_killed_goes_on_from_its_whole_parts(tmp_path, monkeypatch):
    source = get("source", "mixture", parts=[{"use": "synthetic"}, {"use": "drills"}], size=1_500)
    undisturbed = draw(source, tmp_path / "a", size=1_300, shards=4)

    real, calls = sampling.write_part, []

    def dies_at_the_third(path, *rest):
        calls.append(path)
        if len(calls) == 3:
            raise KeyboardInterrupt
        real(path, *rest)

    monkeypatch.setattr(sampling, "write_part", dies_at_the_third)
    with pytest.raises(KeyboardInterrupt):
        draw(source, tmp_path / "b", size=1_300, shards=4)
    assert len(part_paths(tmp_path / "b")) == 2
    kept = {path: path.stat().st_mtime_ns for path in part_paths(tmp_path / "b")}

    monkeypatch.setattr(sampling, "write_part", real)
    monkeypatch.setattr(sampling.survey, "take", lambda *_, **__: pytest.fail("the survey was kept"))
    assert draw(source, tmp_path / "b", size=1_300, shards=4) == undisturbed
    assert files(tmp_path / "a") == files(tmp_path / "b")
    assert {path: path.stat().st_mtime_ns for path in kept} == kept


def test_a_finished_sample_is_not_drawn_again(tmp_path, monkeypatch):
    first = draw(synthetic(100), tmp_path)
    monkeypatch.setattr(sampling.survey, "take", lambda *_, **__: pytest.fail("read again"))
    assert draw(synthetic(100), tmp_path) == first


def test_a_lost_part_is_written_again(tmp_path):
    draw(synthetic(100), tmp_path, shards=2)
    before = files(tmp_path)
    part_paths(tmp_path)[1].unlink()
    draw(synthetic(100), tmp_path, shards=2)
    assert files(tmp_path) == before


def test_another_sample_in_the_same_folder_leaves_nothing_of_the_first(tmp_path):
    draw(synthetic(100), tmp_path / "a", shards=5)
    draw(synthetic(100), tmp_path / "a", shards=2, seed=8)
    draw(synthetic(100), tmp_path / "b", shards=2, seed=8)
    assert files(tmp_path / "a") == files(tmp_path / "b")


def test_contaminated_questions_are_rejected_before_the_draw(tmp_path):
    problems = list(synthetic(200).problems())
    evaluated = [problems[3].question, "something else entirely that nobody would ever ask"]
    counts = draw(Rows(*problems), tmp_path, size=150, decontaminate={"exam": iter(evaluated)})
    [rejected] = [row for row in rows(tmp_path, "rejected") if row["reason"] == "contaminated"]
    assert rejected["problem_id"] == problems[3].id
    assert "with exam: '" in rejected["detail"]
    assert counts.extra["overlap"]["exam"]["13"] == 1
    assert counts.extra["overlap"]["exam"]["8"] >= 1
    assert counts.rows_out == 150
    assert balances(counts)


def test_eight_shared_words_are_counted_and_rejected_only_if_asked(tmp_path):
    question = "A farmer has twelve cows and nine hens in his barn, and buys three goats. How many animals?"
    evaluated = {"exam": ["Anna saw that a farmer has twelve cows and nine hens. How much milk do they give in a week of May?"]}
    given = Rows(problem(question), problem("Another question?"))
    counts = draw(given, tmp_path / "a", decontaminate=evaluated)
    assert (counts.rows_out, counts.extra["overlap"]) == (2, {"exam": {"8": 1}})
    counts = draw(given, tmp_path / "b", decontaminate=evaluated, reject_words=8)
    assert (counts.rows_out, counts.rejected) == (1, {"contaminated": 1})
    [row] = rows(tmp_path / "b", "rejected")
    assert row["detail"] == "shares 8 words or the whole question with exam: 'a farmer has twelve cows and nine hens'"


def test_contamination_is_found_in_workers_too(tmp_path):
    evaluated = {"exam": [p.question for p in list(synthetic(700).problems())[:9]]}
    for name, workers in (("a", 1), ("b", 2)):
        counts = draw(synthetic(700), tmp_path / name, workers=workers, decontaminate=evaluated)
        assert counts.rejected["contaminated"] >= 9
    assert files(tmp_path / "a") == files(tmp_path / "b")


def test_an_empty_source_is_an_error(tmp_path):
    with pytest.raises(SourceError, match="found an empty source"):
        draw(Rows(), tmp_path)


def test_a_source_of_nothing_but_rejections_is_an_error_that_says_why(tmp_path):
    bad = [Rejection(f"{n:016x}", "sample", "no_code", "", "") for n in range(3)]
    with pytest.raises(SourceError, match=r"found none in the 3 rows of the source \(no_code 3\)"):
        draw(Rows(*bad), tmp_path)
    assert len(rows(tmp_path, "rejected")) == 3


def test_a_source_that_changes_between_the_passes_is_an_error(tmp_path):
    class Changing(Rows):
        def problems(self):
            self.given = self.given[1:]
            return iter(self.given)

    with pytest.raises(SourceError, match="expected the same rows on the second pass"):
        draw(Changing(*(problem(f"{n}?") for n in range(6))), tmp_path)


def test_a_program_that_never_ends_costs_only_itself(tmp_path):
    given = Rows(problem("Ends?"), problem("Loops?", "while True: pass"))
    counts = draw(given, tmp_path)
    assert (counts.rows_out, counts.rejected) == (1, {"timeout": 1})


def test_a_row_that_kills_its_worker_costs_only_itself(tmp_path, monkeypatch):
    (tmp_path / "deadly_source.py").write_text(
        "import os, signal\n"
        "from tinygsm_kit.records import Problem\n"
        "class Deadly:\n"
        "    def rows(self): return iter(range(40))\n"
        "    def read(self, row):\n"
        "        if row == 13: os.kill(os.getpid(), signal.SIGKILL)\n"
        "        return Problem(f'{row:016x}', str(row), f'def f():\\n    return {row} + 1', difficulty=1)\n"
        "    def problems(self): return map(self.read, self.rows())\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    from importlib import import_module

    counts = draw(import_module("deadly_source").Deadly(), tmp_path / "out", workers=2)
    assert (counts.rows_in, counts.rows_out, counts.rejected) == (40, 39, {"crashed": 1})
    [row] = rows(tmp_path / "out", "rejected")
    assert row["row"] == "13"
