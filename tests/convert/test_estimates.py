"""What `plan` says of a paid conversion: from lengths without a request, and from a pilot through the ledger."""

from pathlib import Path

import pytest

from tinygsm_kit.convert.estimates import estimate, pilot
from tinygsm_kit.convert.ledger_report import prune, report
from tinygsm_kit.convert.money import PriceError
from tinygsm_kit.convert.options import HostOptions
from tinygsm_kit.parts import part_paths, read_rows
from tinygsm_kit.progress import Silent
from tinygsm_kit.records import Problem
from tinygsm_kit.testing import MockServer


@pytest.fixture
def problems(sample) -> list[Problem]:
    return [Problem(**row) for row in read_rows(part_paths(sample(50)))]


def test_an_estimate_sends_nothing_and_scales_with_the_rows(problems):
    with MockServer() as server:
        options = {"base_url": server.url}
        one = estimate(problems, 1_000, converter="openai", options=options, host=HostOptions(), seed=0)
        ten = estimate(problems, 10_000, converter="openai", options=options, host=HostOptions(), seed=0)
        half = estimate(problems, 1_000, converter="openai", options=options, host=HostOptions(mode="batch"), seed=0)
        assert server.received == []
    assert one is not None
    assert ten is not None
    assert half is not None
    assert 0 < one.usd_low < one.usd < one.usd_high < one.worst
    assert ten.usd == pytest.approx(10 * one.usd)
    assert half.usd == pytest.approx(one.usd / 2)
    assert (one.rows, one.paid_rows, one.models) == (1_000, 1_000, ("gpt-5-nano",))


def test_an_estimate_holds_what_a_mock_conversion_costs(problems):
    found = estimate(problems, 50, converter="mock", options={}, host=HostOptions(), seed=0)
    assert found.usd_low <= 50 * (600 * 0.05e-6 + 200 * 0.4e-6) <= found.worst


def test_nothing_is_paid_where_trace_converts_all(problems):
    assert estimate(problems, 1_000, converter="trace", options={}, host=HostOptions(), seed=0) is None
    routed = estimate(problems, 1_000, converter="router", options={"routes": ["trace", "openai"]}, host=HostOptions(), seed=0)
    assert (routed.paid_rows, routed.usd) == (0, 0.0)


def test_an_estimate_without_a_price_is_an_error_unless_there_is_no_budget(problems):
    with pytest.raises(PriceError):
        estimate(problems, 10, converter="openai", options={"model": "unheard-of"}, host=HostOptions(), seed=0)
    free = estimate(
        problems, 10, converter="openai", options={"model": "unheard-of"}, host=HostOptions(budget_usd=None), seed=0
    )
    assert free.usd is None
    assert free.input_tokens > 0


def test_a_pilot_gives_an_interval_and_its_answers_are_not_lost(problems, sample, run, tmp_path: Path):
    with MockServer(usage=(1000, 100)) as server:
        options = {"base_url": server.url}
        first = pilot(problems[:20], 1_000, converter="openai", options=options, host=HostOptions(), seed=0, progress=Silent())
        each = 1000 * 0.05e-6 + 100 * 0.4e-6
        assert (first.piloted, first.accepted, first.rejected) == (20, 20, {})
        assert first.spent == pytest.approx(20 * each)
        assert (first.usd_low, first.usd, first.usd_high) == pytest.approx((1000 * each,) * 3)
        again = pilot(problems[:20], 1_000, converter="openai", options=options, host=HostOptions(), seed=0, progress=Silent())
        assert (again.spent, again.usd) == (0, first.usd)
        counts = run(sample(50), tmp_path / "out", options)
        assert counts.extra["requests"] == 30
        assert len(server.received) == 50


def test_a_pilot_with_uneven_costs_has_a_wider_interval(problems):
    found = pilot(problems, 1_000, converter="mock", options={"wrong": 0.3}, host=HostOptions(), seed=0, progress=Silent())
    assert found.usd_low < found.usd < found.usd_high
    assert found.rejected.keys() <= {"false_equation"}


def test_the_ledger_reports_and_prunes_but_keeps_what_was_spent(sample, run, tmp_path: Path):
    run(sample(40), tmp_path / "out", {}, converter="mock")
    seen = report()
    assert seen.answers == {"mock": 40}
    (one,) = seen.runs
    assert one.label == str(tmp_path / "out")
    assert one.usd == pytest.approx(40 * (600 * 0.05e-6 + 200 * 0.4e-6))
    assert seen.by_model == {"mock": pytest.approx(one.usd)}
    assert seen.bytes > 0
    assert prune(older_than_days=1) == (0, pytest.approx(0, abs=1e6))
    assert prune(model="another")[0] == 0
    assert prune(model="mock")[0] == 40
    assert report().answers == {}
    assert report().runs[0].usd == one.usd
