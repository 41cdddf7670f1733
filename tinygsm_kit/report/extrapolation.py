"""Accuracy against the number of training rows: a curve through the rungs of a ladder, and the rows that it takes to a goal.

The curve says that each doubling of the rows multiplies the odds of a right answer by the same factor: a binomial GLM with
logit link on log(rows). Its uncertainty counts two draws: of the questions, which every rung answers alike, so that
their luck is shared, and of the trainings, which scatter about the curve by more than coins would.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tinygsm_kit.report.statistics import CONFIDENCE, Interval

MOST_ROWS = 1e15
"""An end of an interval beyond this many rows is no number worth a name."""


class NoCurveError(ValueError):
    """The rungs do not support a curve; the message is the reason, as the end of a sentence."""


@dataclass(frozen=True)
class Curve:
    """log-odds of a right answer = intercept + slope · log(rows).

    Its uncertainty has two sources, each a covariance of (intercept, slope) with its degrees of freedom: the questions, and
    the trainings, whose `dispersion` about the curve is 1 where they scatter as coins do.
    """

    intercept: float
    slope: float
    by_question: NDArray[np.float64]
    binomial: NDArray[np.float64]
    dispersion: float
    questions: int
    trainings: int
    confidence: float

    def at(self, rows: float) -> Interval:
        """Accuracy (a share) after training on so many rows, with its pointwise confidence band."""
        from scipy.special import expit

        middle, half = self._log_odds(math.log(rows))
        return Interval(*(float(expit(value)) for value in (middle, middle - half, middle + half)))

    def odds_ratio(self) -> Interval:
        """By what a doubling of the rows multiplies the odds of a right answer."""
        half = self._half(np.array([0.0, 1.0]))
        return Interval(*(_power(2, value) for value in (self.slope, self.slope - half, self.slope + half)))

    def rises(self) -> bool:
        """Whether more rows are better beyond doubt: the interval of the slope lies above none."""
        return self.slope > self._half(np.array([0.0, 1.0]))

    def rows_to_reach(self, accuracy: float) -> Interval:
        """Rows at which the curve reaches an accuracy; the interval's ends are where the band's edges do (Fieller 1954).

        Infinite where an end lies beyond MOST_ROWS. Raises NoCurveError where the slope's interval includes none: then every
        number of rows is in the interval.
        """
        from scipy.optimize import brentq
        from scipy.special import logit

        if not self.rises():
            ratio = self.odds_ratio()
            raise NoCurveError(
                f"that more rows are better is not beyond chance: a doubling multiplies the odds by {ratio.value:.2f}, 95 % "
                f"interval {ratio.low:.2f} to {ratio.high:.2f}"
            )
        goal, low, high = float(logit(accuracy)), -100.0, math.log(MOST_ROWS)

        def edge(side: int) -> float:
            def distance(log_rows: float) -> float:
                middle, half = self._log_odds(log_rows)
                return middle + side * half - goal

            if distance(high) < 0:
                return math.inf
            return math.exp(brentq(distance, low, high)) if distance(low) < 0 else 0.0

        return Interval(_power(math.e, (goal - self.intercept) / self.slope), edge(1), edge(-1))

    def _log_odds(self, log_rows: float) -> tuple[float, float]:
        return self.intercept + self.slope * log_rows, self._half(np.array([1.0, log_rows]))

    def _half(self, point: NDArray[np.float64]) -> float:
        """Half the width of the interval of a linear combination of intercept and slope.

        Student's t with Satterthwaite's (1946) degrees of freedom, as in `statistics.crossed`.
        """
        from scipy.stats import t

        questions, binomial = float(point @ self.by_question @ point), float(point @ self.binomial @ point)
        variance = questions + max(0.0, self.dispersion - 1) * binomial
        spread = questions**2 / (self.questions - 1) + (self.dispersion * binomial) ** 2 / (self.trainings - 2)
        return float(t.isf((1 - self.confidence) / 2, variance**2 / spread)) * math.sqrt(variance)


def _power(base: float, exponent: float) -> float:
    return float(base**exponent) if exponent * math.log(base) < 700 else math.inf


def fit(rows: Sequence[float], answers: ArrayLike, confidence: float = CONFIDENCE) -> Curve:
    """The curve through trainings on `rows[j]` rows; `answers` is a questions × trainings table of right (1) and wrong (0).

    Two-way clustered covariance (Cameron, Gelbach and Miller 2011): that of the answers clustered by question, plus what
    the trainings scatter about the curve beyond binomial chance (Pearson's dispersion; none where they scatter less).
    Simulated with trainings that differ by luck not at all to very much, the 95 % interval covers 92 to 99 % with four rungs
    and with seven. Raises NoCurveError where there is too little to fit.
    """
    table: NDArray[np.float64] = np.asarray(answers, dtype=float)
    questions, trainings = table.shape
    if questions < 2:
        raise NoCurveError("the rungs were not asked the same questions")
    if len(set(rows)) < 3:
        raise NoCurveError(f"it takes three rungs with different numbers of rows, and there are {len(set(rows))}")
    if len({count for count, share in zip(rows, table.mean(axis=0), strict=True) if 0 < share < 1}) < 2:
        raise NoCurveError("all but one of the rungs answer every question alike, all rightly or all wrongly")
    import statsmodels.api as sm
    from statsmodels.tools.sm_exceptions import PerfectSeparationWarning

    design = sm.add_constant(np.log(np.asarray(rows, dtype=float)))
    right, groups = table.sum(axis=0), np.repeat(np.arange(questions), trainings)
    with warnings.catch_warnings():  # said of rungs that lie on the curve to the last digit; what cannot be fitted is out
        warnings.simplefilter("ignore", PerfectSeparationWarning)
        whole = sm.GLM(np.column_stack([right, questions - right]), design, family=sm.families.Binomial()).fit()
        single = sm.GLM(table.ravel(), np.tile(design, (questions, 1)), family=sm.families.Binomial()).fit(
            start_params=whole.params, cov_type="cluster", cov_kwds={"groups": groups}
        )
    intercept, slope = (float(value) for value in whole.params)
    dispersion = float(whole.pearson_chi2 / whole.df_resid)
    by_question, binomial = np.asarray(single.cov_params()), np.asarray(whole.normalized_cov_params)
    return Curve(intercept, slope, by_question, binomial, dispersion, questions, trainings, confidence)
