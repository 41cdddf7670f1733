"""The curve through a ladder's rungs, and the rows it takes to a goal."""

import math

import numpy as np
import pytest
from scipy.special import expit

from tinygsm_kit.report.extrapolation import NoCurveError, fit
from tinygsm_kit.report.statistics import Interval

RUNGS = [1_000, 3_000, 10_000, 30_000, 100_000]


def exact(rows, shares, questions=1_000):
    """A questions × trainings table with exactly these shares right, the questions shuffled anew for every training."""
    rng = np.random.default_rng(0)
    columns = [rng.permutation(np.arange(questions) < round(share * questions)) for share in shares]
    return list(rows), np.column_stack(columns).astype(float)


def on_a_curve(rows, doubling, at=0.10, questions=1_000):
    """Shares on the very curve that has the odds of `at` at 10,000 rows and multiplies them by `doubling` each doubling."""
    log_odds = math.log(at / (1 - at))
    return exact(rows, [expit(log_odds + math.log(doubling) * math.log2(count / 10_000)) for count in rows], questions)


def simulated(rng, rows, questions, slope=0.5, hardness=1.5, luck=0.0):
    """Answers of trainings on a curve, to questions of different hardness, with luck that a whole training shares."""
    log_odds = -3 + slope * np.log(np.asarray(rows) / rows[0])
    spread = rng.normal(0, hardness, (questions, 1)) + rng.normal(0, luck, (1, len(rows)))
    return (rng.random((questions, len(rows))) < expit(log_odds + spread)).astype(float)


def share_right(log_odds, spread):
    """The share of right answers over questions whose hardness is normal."""
    places = np.linspace(-8, 8, 4_001)
    weights = np.exp(-(places**2) / 2)
    return float((expit(log_odds + spread * places) * weights).sum() / weights.sum())


def test_the_curve_is_the_binomial_regression_on_the_logarithm_of_the_rows():
    curve = fit(*on_a_curve(RUNGS, 1.5, questions=100_000))
    assert curve.odds_ratio().value == pytest.approx(1.5, rel=1e-3)
    assert curve.at(10_000).value == pytest.approx(0.10, abs=1e-4)
    found = curve.rows_to_reach(0.15)
    odds = (0.15 / 0.85) / (0.10 / 0.90)
    assert found.value == pytest.approx(10_000 * 2 ** (math.log(odds) / math.log(1.5)), rel=1e-2)
    assert found.low < found.value < found.high


def test_the_intervals_ends_are_where_the_bands_edges_reach_the_goal():
    curve = fit(*on_a_curve(RUNGS, 1.4))
    found = curve.rows_to_reach(0.2)
    assert curve.at(found.value).value == pytest.approx(0.2)
    assert curve.at(found.low).high == pytest.approx(0.2)
    assert curve.at(found.high).low == pytest.approx(0.2)


def test_the_luck_of_the_questions_is_shared_by_all_rungs_and_does_not_average_out():
    """Where every rung knows what smaller ones knew, five rungs say no more of a level than one of them."""
    _, shuffled = on_a_curve(RUNGS, 1.5)
    alike = np.sort(shuffled, axis=0)
    one, other = fit(RUNGS, shuffled).at(10_000), fit(RUNGS, alike).at(10_000)
    assert one.value == pytest.approx(other.value)
    assert other.high - other.low > 1.3 * (one.high - one.low)


def test_rungs_that_scatter_about_the_curve_widen_its_interval():
    rows, smooth = on_a_curve(RUNGS, 1.5)
    _, rough = exact(RUNGS, smooth.mean(axis=0) * [1.4, 0.6, 1.3, 0.7, 1.2])
    widths = [math.log(found.high / found.low) for found in (fit(rows, table).odds_ratio() for table in (smooth, rough))]
    assert widths[1] > 2 * widths[0]


def test_where_more_rows_are_not_surely_better_no_number_is_given():
    curve = fit(*exact(RUNGS, [0.10, 0.11, 0.10, 0.12, 0.11], 200))
    assert not curve.rises()
    with pytest.raises(NoCurveError, match=r"not beyond chance: a doubling multiplies the odds by 1\.0\d, 95 % interval 0\.\d"):
        curve.rows_to_reach(0.15)
    assert not fit(*on_a_curve(RUNGS, 0.7)).rises()


def test_an_end_that_lies_beyond_every_number_of_rows_is_infinite():
    curve = fit(*on_a_curve(RUNGS[:4], 1.12, questions=4_000))
    found = curve.rows_to_reach(0.9)
    assert found.high == math.inf
    assert found.low > 1e6


@pytest.mark.parametrize(
    ("rows", "shares", "said"),
    [
        ([1_000, 3_000], [0.1, 0.2], "it takes three rungs with different numbers of rows, and there are 2"),
        ([1_000, 1_000, 3_000], [0.1, 0.1, 0.2], "and there are 2"),
        (RUNGS, [0, 0, 0, 0, 0], "all but one of the rungs answer every question alike"),
        (RUNGS, [0, 0, 0.5, 1, 1], "all but one of the rungs answer every question alike"),
    ],
)
def test_too_little_to_fit_is_said(rows, shares, said):
    with pytest.raises(NoCurveError, match=said):
        fit(*exact(rows, shares))
    with pytest.raises(NoCurveError, match="not asked the same questions"):
        fit(RUNGS, np.empty((0, 5)))


def test_rungs_of_none_or_all_are_no_obstacle_beside_others():
    curve = fit(*exact(RUNGS, [0, 0.02, 0.2, 0.8, 1]))
    assert curve.rises()
    assert 10_000 < curve.rows_to_reach(0.5).value < 30_000


def test_the_repeats_of_a_rung_count():
    rows, table = on_a_curve([*RUNGS, *RUNGS], 1.5)
    assert fit(rows, table).at(1_000).high < fit(RUNGS, table[:, :5]).at(1_000).high
    assert isinstance(fit(rows, table).at(1_000), Interval)


@pytest.mark.slow
@pytest.mark.parametrize("luck", [0.0, 0.1, 0.3])
@pytest.mark.parametrize("rungs", [RUNGS[:4], RUNGS])
def test_the_interval_covers_the_true_number_of_rows(rungs, luck):
    """400 simulated ladders each: inside the rungs, and four times beyond the largest. 95 % is within 89 to 99."""
    rng, times = np.random.default_rng(5), 400
    goals = {
        count: share_right(-3 + 0.5 * math.log(count / rungs[0]), math.hypot(1.5, luck)) for count in (4_500, 4 * rungs[-1])
    }
    covered = dict.fromkeys(goals, 0)
    for _ in range(times):
        curve = fit(rungs, simulated(rng, rungs, 300, luck=luck))
        for count, goal in goals.items():
            try:
                found = curve.rows_to_reach(goal)
                covered[count] += found.low <= count <= found.high
            except NoCurveError:  # every number of rows is in the interval
                covered[count] += 1
    for count in goals:
        assert 0.89 <= covered[count] / times <= 0.995, covered
