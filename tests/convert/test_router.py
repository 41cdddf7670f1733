"""The router: in order until one can, or by seeded shares; each solution says who made it."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from tinygsm_kit.convert.options import HostOptions
from tinygsm_kit.convert.stage import convert, identity
from tinygsm_kit.parts import PROBLEM_COLUMNS, part_path, part_paths, read_rows, write_part
from tinygsm_kit.progress import Silent


def test_the_model_gets_what_trace_rejects(sample, run, tmp_path: Path):
    (row,) = read_rows(part_paths(sample(1, folder="one")))
    hard = {**row, "id": "f" * 16, "program": "def f():\n    return int('60')", "answer": "60"}
    write_part(part_path(tmp_path / "mixed", 0), [row, hard, row], PROBLEM_COLUMNS)
    routes = {"routes": ["trace", {"use": "mock", "output_tokens": 7}]}
    counts = run(tmp_path / "mixed", tmp_path / "out", routes, converter="router")
    assert [made["converter"] for made in read_rows(part_paths(tmp_path / "out"))] == ["trace", "mock", "trace"]
    assert (counts.rows_out, counts.extra["requests"], counts.extra["output_tokens"]) == (3, 1, 7)


def test_shares_are_seeded_and_do_not_depend_on_the_other_rows(sample, tmp_path: Path):
    routes = {"routes": [{"use": "trace", "share": 3}, {"use": "mock", "share": 1}]}

    def made(folder: Path, out: str, seed: int) -> dict[str, str]:
        convert(folder, tmp_path / out, converter="router", options=routes, host=HostOptions(), seed=seed, workers=1,
                progress=Silent())  # fmt: skip
        return {row["problem_id"]: row["converter"] for row in read_rows(part_paths(tmp_path / out))}

    many = made(sample(800), "a", seed=1)
    few = made(sample(100, folder="few"), "b", seed=1)
    assert few.items() <= many.items()
    assert 150 < sum(converter == "mock" for converter in many.values()) < 250
    assert made(sample(100, folder="few"), "c", seed=2) != few


def test_a_share_may_fall_back(sample, run, tmp_path: Path):
    routes = {"routes": [{"use": "mock", "share": 1, "refusal": 1.0}, {"use": "trace", "share": 1}]}
    counts = run(sample(40), tmp_path / "out", routes, converter="router", fallback="trace")
    assert counts.extra["by_converter"] == {"trace": 40}
    assert 5 < counts.extra["requests"] < 35


def test_the_last_refusal_stands_and_the_detail_tells_the_others(sample, run, tmp_path: Path):
    routes = {"routes": [{"use": "mock", "refusal": 1.0}, {"use": "mock", "wrong": 1.0}]}
    counts = run(sample(1), tmp_path / "out", routes, converter="router", repair=False)
    assert counts.rejected == {"false_equation": 1}
    (row,) = read_rows(part_paths(tmp_path / "out", "rejected"))
    assert row["detail"].endswith("(before that: mock: refusal)")


@pytest.mark.parametrize(
    "routes",
    [
        [],
        ["no_such_converter"],
        [{"use": "trace", "share": 1}, "mock"],
        [{"use": "mock", "latncy": 1}],
        [{"use": "router", "routes": ["trace"]}],
    ],
)
def test_wrong_routes_are_refused_before_anything_runs(routes: list):
    with pytest.raises(ValidationError):
        identity("router", {"routes": routes}, HostOptions(), seed=0)


def test_the_identity_holds_the_routes_versions_and_the_seed_only_where_shares_need_it():
    ordered = identity("router", {"routes": ["trace", "mock"]}, HostOptions(), seed=1)
    assert [link["use"] for link in ordered["links"]] == ["trace", "mock"]
    assert ordered == identity("router", {"routes": ["trace", "mock"]}, HostOptions(), seed=2)
    shared = {"routes": [{"use": "trace", "share": 1}, {"use": "mock", "share": 1}]}
    assert identity("router", shared, HostOptions(), seed=1) != identity("router", shared, HostOptions(), seed=2)
