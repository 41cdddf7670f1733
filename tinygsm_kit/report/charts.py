"""Small pictures inside the page: SVG that takes its colours from the page's style, so that it is light and dark with it.

Every function returns markup that is safe to put into the page as it is; names are escaped here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from math import ceil, floor, log10
from typing import Any

WIDTH, HEIGHT = 420, 236
LEFT, RIGHT, TOP, BOTTOM = 44, 12, 12, 38
Points = Sequence[tuple[float, float]]


def ticks(low: float, high: float, about: int = 5) -> list[float]:
    """Round numbers from `low` to `high`, roughly `about` of them."""
    if high <= low:
        return [low]
    raw = (high - low) / about
    scale = 10.0 ** floor(log10(raw))
    step = next(m * scale for m in (1, 2, 2.5, 5, 10) if m * scale >= raw * 0.999)
    first = ceil(low / step - 1e-9)
    return [round(i * step, 10) for i in range(first, floor(high / step + 1e-9) + 1)]


def short_number(value: float) -> str:
    """1200 as `1.2k`, 0.25 as `0.25`, with a real minus."""
    size = abs(value)
    text = f"{size / 1e6:g}M" if size >= 1e6 else f"{size / 1e3:g}k" if size >= 1e4 else f"{size:g}"
    return f"−{text}" if value < 0 else text


class _Frame:
    """Axes of a plot: maps data to places, and draws ticks and labels."""

    def __init__(self, x: tuple[float, float], y: tuple[float, float]) -> None:
        self.x_low, self.x_high = x if x[1] > x[0] else (x[0] - 0.5, x[0] + 0.5)
        self.y_low, self.y_high = y if y[1] > y[0] else (y[0], y[0] + 1)

    def x(self, value: float) -> float:
        return round(LEFT + (value - self.x_low) / (self.x_high - self.x_low) * (WIDTH - LEFT - RIGHT), 1)

    def y(self, value: float) -> float:
        return round(HEIGHT - BOTTOM - (value - self.y_low) / (self.y_high - self.y_low) * (HEIGHT - TOP - BOTTOM), 1)

    def axes(
        self, x_label: str, y_suffix: str = "", x_names: Sequence[str] | Mapping[float, str] | None = None, whole: bool = False
    ) -> str:
        marks = []
        for value in ticks(self.y_low, self.y_high, 4):
            y = self.y(value)
            marks.append(f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y}" y2="{y}"/>')
            marks.append(f'<text x="{LEFT - 6}" y="{y + 3.5}" text-anchor="end">{short_number(value)}{y_suffix}</text>')
        numbers = [v for v in ticks(self.x_low, self.x_high, 6) if v == int(v) or not whole]
        named = x_names.items() if isinstance(x_names, Mapping) else enumerate(x_names or ())
        places = list(named) if x_names else [(v, short_number(v)) for v in numbers]
        marks += [
            f'<text x="{self.x(v)}" y="{HEIGHT - BOTTOM + 16}" text-anchor="middle">{escape(n)}</text>' for v, n in places
        ]
        middle = (LEFT + WIDTH - RIGHT) / 2
        marks.append(f'<text class="axis" x="{middle}" y="{HEIGHT - 6}" text-anchor="middle">{escape(x_label)}</text>')
        return "".join(marks)


def svg(body: str, label: str, width: int = WIDTH, height: int = HEIGHT, name: str = "chart") -> str:
    """The outer element, with a text for those who cannot see it."""
    return (
        f'<svg class="{name}" viewBox="0 0 {width} {height}" role="img" aria-label="{escape(label, quote=True)}">{body}</svg>'
    )


def lines(series: Mapping[str, Points], colour: Mapping[str, int], x_label: str, label: str) -> str:
    """One line a series, from zero up. A repeat `condition@SEED` is drawn thinner in its condition's colour."""
    every = [point for points in series.values() for point in points]
    frame = _Frame((min(x for x, _ in every), max(x for x, _ in every)), (0, max(y for _, y in every) * 1.05))
    body = frame.axes(x_label)
    for name, points in series.items():
        path = " ".join(f"{frame.x(x)},{frame.y(y)}" for x, y in points)
        thin = " thin" if "@" in name else ""
        last = short_number(round(points[-1][1], 3))
        title = f"<title>{escape(name)}: ends at {last}</title>"
        body += f'<polyline class="line s{colour[name]}{thin}" points="{path}">{title}</polyline>'
    return svg(body, label)


def steps(
    edges: Sequence[float], shares: Mapping[str, Sequence[float]], colour: Mapping[str, int], x_label: str, label: str
) -> str:
    """Histograms of counts over common edges as outlines with a light fill, in percent."""
    top = 100 * max(height for heights in shares.values() for height in heights)
    frame = _Frame((edges[0], edges[-1]), (0, top * 1.08))
    body = frame.axes(x_label, "%", whole=True)
    for name, heights in shares.items():
        outline = [(edges[0], 0.0)]
        for low, high, height in zip(edges, edges[1:], heights, strict=False):
            outline += [(low, 100 * height), (high, 100 * height)]
        path = " ".join(f"{frame.x(x)},{frame.y(y)}" for x, y in [*outline, (edges[-1], 0.0)])
        body += f'<polygon class="area s{colour[name]}" points="{path}"><title>{escape(name)}</title></polygon>'
    return svg(body, label)


def bars(rows: Mapping[str, Mapping[str, float]], colour: Mapping[str, int], label: str) -> str:
    """Horizontal bars in percent: a group for each row, a bar for each condition, its number at its end."""
    bar, gap, left = 13, 16, 124
    count = max(len(found) for found in rows.values())
    height = len(rows) * (count * (bar + 3) + gap) + 4
    body, y = "", 4
    for task, found in rows.items():
        body += f'<text x="{left - 8}" y="{y + count * (bar + 3) / 2 + 3}" text-anchor="end">{escape(task)}</text>'
        for name, share in found.items():
            width = round(share * (WIDTH - left - 48), 1)
            body += f'<rect class="track" x="{left}" y="{y}" width="{WIDTH - left - 48}" height="{bar}" rx="2"/>'
            body += f'<rect class="bar s{colour[name]}" x="{left}" y="{y}" width="{width}" height="{bar}" rx="2">'
            body += f"<title>{escape(name)}: {100 * share:.1f} %</title></rect>"
            body += f'<text class="value" x="{WIDTH}" y="{y + bar - 3}" text-anchor="end">{100 * share:.1f} %</text>'
            y += bar + 3
        y += gap
    return svg(body, label, height=height)


def dots(names: Sequence[str], series: Mapping[str, Sequence[tuple[int, float, float, float]]], colour: Mapping[str, int],
         x_label: str, label: str, joined: bool = False) -> str:  # fmt: skip
    """(place, value, low, high) as dots with whiskers, shares in percent, conditions side by side; `joined` by lines."""
    frame = _Frame((-0.6, len(names) - 0.4), (0, 100))
    body = frame.axes(x_label, "%", names)
    for order, (name, rows) in enumerate(series.items()):
        shift = 9 * (order - (len(series) - 1) / 2)
        if joined:
            path = " ".join(f"{round(frame.x(place) + shift, 1)},{frame.y(100 * value)}" for place, value, _, _ in rows)
            body += f'<polyline class="line s{colour[name]}" points="{path}"/>'
        for place, value, low, high in rows:
            x, y = round(frame.x(place) + shift, 1), frame.y(100 * value)
            ends = f'y1="{frame.y(100 * low)}" y2="{frame.y(100 * high)}"'
            body += f'<line class="whisker s{colour[name]}" x1="{x}" x2="{x}" {ends}/>'
            body += f'<circle class="dot s{colour[name]}" cx="{x}" cy="{y}" r="4"><title>{escape(name)}: {100 * value:.1f} % '
            body += f"({100 * low:.1f} to {100 * high:.1f})</title></circle>"
    return svg(body, label)


def scaling(entries: Mapping[str, Mapping[str, Any]], colour: Mapping[str, int], label: str) -> str:
    """Accuracy against rows on a logarithmic scale: trainings with whiskers, the fitted curve with its band, the goal.

    Beyond the largest rung the curve is dashed. `entries` are those of `ladder.build_ladder`, by condition.
    """
    rows = [each["rows"] for entry in entries.values() for each in (*entry["points"], *entry["curve"])]
    goals = sorted({entry["goal"] for entry in entries.values() if entry["goal"] is not None})
    top = max([*goals, *(each["high"] for entry in entries.values() for each in entry["points"])])
    frame = _Frame((log10(min(rows)) - 0.08, log10(max(rows)) + 0.08), (0, min(100, 115 * top)))

    def path(points: Iterable[tuple[float, float]]) -> str:
        return " ".join(f"{frame.x(log10(x))},{frame.y(min(100 * y, frame.y_high))}" for x, y in points)

    body = frame.axes("training rows", "%", {log10(x): short_rows(x) for x in ticks_of_rows(entries)})
    for goal in goals:
        y = frame.y(100 * goal)
        body += f'<line class="zero" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y}" y2="{y}"/>'
        body += f'<text x="{LEFT + 4}" y="{y - 4}">goal {100 * goal:g}%</text>'
    for name, entry in entries.items():
        curve, (inside, beyond) = entry["curve"], within_and_beyond(entry)
        band = [*((each["rows"], each["high"]) for each in curve), *((each["rows"], each["low"]) for each in reversed(curve))]
        body += f'<polygon class="band faint s{colour[name]}" points="{path(band)}"/>' if band else ""
        body += f'<polyline class="line s{colour[name]}" points="{path(inside)}"/>' if inside else ""
        body += f'<polyline class="line dashed s{colour[name]}" points="{path(beyond)}"/>' if beyond else ""
    for order, (name, entry) in enumerate(entries.items()):
        shift = 5 * (order - (len(entries) - 1) / 2)
        for point in entry["points"]:
            body += _dot(round(frame.x(log10(point["rows"])) + shift, 1), frame, name, colour[name], point)
    return svg(body, label)


def within_and_beyond(entry: Mapping[str, Any]) -> tuple[list[tuple[float, float]], list[tuple[float, float]]]:
    """A fitted curve as (rows, accuracy): up to the largest rung, and from there on (empty where it ends there)."""
    largest = max(point["rows"] for point in entry["points"])
    curve = [(each["rows"], each["value"]) for each in entry["curve"]]
    inside = [point for point in curve if point[0] <= largest * 1.001]  # the curve's own last point may lie a hair beyond
    beyond = curve[len(inside) :]
    return inside, [*inside[-1:], *beyond] if beyond else []


def _dot(x: float, frame: _Frame, name: str, series: int, point: Mapping[str, Any]) -> str:
    value, low, high = (100 * point[end] for end in ("value", "low", "high"))
    text = escape(f"{name}, {point['rows']:,} rows: {value:.1f} % ({low:.1f} to {high:.1f})")
    body = f'<line class="whisker s{series}" x1="{x}" x2="{x}" y1="{frame.y(low)}" y2="{frame.y(high)}"/>'
    return body + f'<circle class="dot s{series}" cx="{x}" cy="{frame.y(value)}" r="4"><title>{text}</title></circle>'


def ticks_of_rows(entries: Mapping[str, Mapping[str, Any]]) -> list[float]:
    """The rungs themselves, and round numbers where the curve goes on beyond them."""
    rungs = sorted({float(point["rows"]) for entry in entries.values() for point in entry["points"]})
    last = max([rungs[-1], *(each["rows"] for entry in entries.values() for each in entry["curve"])])
    return [*rungs, *(number for number in round_numbers(rungs[0], last) if number > 1.5 * rungs[-1])]


def short_rows(rows: float) -> str:
    """3000 as `3k`, 96512 as `96.5k`."""
    return f"{rows / 1e3:.3g}k" if 1e3 <= rows < 1e6 else short_number(float(f"{rows:.3g}"))


def round_numbers(low: float, high: float) -> list[float]:
    """1, 3, 10, 30, … from `low` to `high`, with 2 and 5 in between where those are few."""
    decades = range(floor(log10(low)), ceil(log10(high)) + 1)
    for steps_of_decade in ((1,), (1, 3), (1, 2, 5)):
        found = [step * 10.0**decade for decade in decades for step in steps_of_decade if low <= step * 10.0**decade <= high]
        if len(found) >= 4:
            break
    return found


def whisker(
    low: float | None, value: float, high: float | None, scale: tuple[float, float], series: int, zero: bool = False
) -> str:
    """A mark with its interval as a band on a scale that a table's rows share; with a line at zero for differences."""
    width, height, pad = 160, 18, 6

    def place(number: float) -> float:
        return round(pad + (min(max(number, scale[0]), scale[1]) - scale[0]) / (scale[1] - scale[0]) * (width - 2 * pad), 1)

    middle = height / 2
    body = f'<line class="rail" x1="{pad}" x2="{width - pad}" y1="{middle}" y2="{middle}"/>'
    if zero:
        body += f'<line class="zero" x1="{place(0)}" x2="{place(0)}" y1="1" y2="{height - 1}"/>'
    if low is not None and high is not None:
        band = round(max(place(high) - place(low), 2.0), 1)
        body += f'<rect class="band s{series}" x="{place(low)}" y="{middle - 4}" width="{band}" height="8" rx="2"/>'
    body += f'<rect class="mark s{series}" x="{round(place(value) - 1.5, 1)}" y="2" width="3" height="{height - 4}" rx="1.5"/>'
    return f'<svg class="spark" viewBox="0 0 {width} {height}" aria-hidden="true">{body}</svg>'


def ruler(value: float, low: float, high: float, seen: float | None) -> str:
    """The headline's picture: the difference in points, its interval, and the band of differences this run could not see."""
    width, height, pad = 480, 112, 22
    reach = 1.15 * max(abs(low), abs(high), abs(value), seen or 0, 0.005)

    def place(share: float) -> float:
        return round(pad + (share + reach) / (2 * reach) * (width - 2 * pad), 1)

    base, body = 74, ""
    if seen is not None:
        left, right = place(-seen), place(seen)
        body += f'<rect class="blind" x="{left}" y="20" width="{round(right - left, 1)}" height="{base - 20}"/>'
        words = f"under {100 * seen:.1f}: this run would often miss it"
        body += f'<text class="blindtext" x="{place(0)}" y="13" text-anchor="middle">{words}</text>'
    body += f'<line class="rail" x1="{pad}" x2="{width - pad}" y1="{base}" y2="{base}"/>'
    for mark in ticks(-100 * reach, 100 * reach, 6):
        x = place(mark / 100)
        sign = "+" if mark > 0 else ""
        body += f'<line class="tick" x1="{x}" x2="{x}" y1="{base}" y2="{base + 5}"/>'
        body += f'<text x="{x}" y="{base + 20}" text-anchor="middle">{sign}{short_number(mark)}</text>'
    body += f'<line class="zero" x1="{place(0)}" x2="{place(0)}" y1="20" y2="{base}"/>'
    body += f'<line class="interval" x1="{place(low)}" x2="{place(high)}" y1="47" y2="47"/>'
    body += "".join(f'<line class="cap" x1="{place(end)}" x2="{place(end)}" y1="40" y2="54"/>' for end in (low, high))
    body += f'<circle class="estimate" cx="{place(value)}" cy="47" r="7"/>'
    body += f'<text class="axis" x="{width / 2}" y="{height - 2}" text-anchor="middle">difference in percentage points</text>'
    label = f"Difference {100 * value:+.1f} points, 95 % interval {100 * low:.1f} to {100 * high:.1f}"
    return svg(body, label, width, height, "ruler")
