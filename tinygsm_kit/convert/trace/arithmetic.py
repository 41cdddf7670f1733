"""Arithmetic that is told while it is done: each operation gives its quantity and adds its clauses to the calculation."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from tinygsm_kit.convert.trace import working
from tinygsm_kit.convert.trace.quantities import (
    Exact,
    PrecisionError,
    Quantity,
    UntellableError,
    decimal,
    literal,
    of_float,
    rounded,
    simplified,
)
from tinygsm_kit.convert.trace.story import Clause
from tinygsm_kit.convert.trace.vocabulary import SINGULAR
from tinygsm_kit.convert.trace.wording import Cues, Name

_HUNDRED_MILLION = 10**8
"""A share with more decimals than this is not told in per cent."""
_SPOKEN_POWER = 4
"""Whole powers up to here are multiplied out; larger ones are stated."""


class Arithmetic:
    """The operations on quantities. `clauses` collects the calculation of the statement that is being told."""

    def __init__(self, cues: Cues, *, break_products: bool, break_sums: bool, division_facts: bool, places: int, strict: bool):
        self.cues = cues
        self.break_products = break_products
        self.break_sums = break_sums
        self.division_facts = division_facts
        self.places = places
        self.strict = strict
        self.clauses: list[Clause] = []
        self.needs: list[int] = []
        """The lines that the calculation rests on."""
        self.told_remainder: tuple[Exact, Exact, int] | None = None
        """Dividend, divisor and line of the last division that was told with its remainder."""
        self.last_division: tuple[Quantity, Quantity, Quantity] | None = None
        """The terms and the result of the last division that did not come out even."""

    def next_line(self) -> int:
        """The index of the line that the calculation will be told in."""
        raise NotImplementedError

    # Quantities from numbers ------------------------------------------------------------------------------------------

    def given(self, value: float, name: Name | None = None) -> Quantity:
        """A number written in the program, with the unit that its name or the question gives it."""
        exact, text = literal(value)
        cues = self.cues
        unit = kind = ""
        if name is None:
            if cues.dollars and value in cues.dollars and (value >= 5 or type(exact) is not int):
                unit = "$"
        elif cues.money and not name.unit and (name.money or (value in cues.dollars and not name.share)):
            unit = "$"
        if exact.__class__ is not int:
            share = 0 < value < 1 and ((name is not None and name.share) or round(value * 100, 6) in cues.percents)
            if share and _HUNDRED_MILLION % exact.denominator == 0:
                unit, kind = "", "percent"
            if unit:
                text = _cents(text)
        return Quantity(value, exact, text, exact, False, unit, -1, kind)

    def settle(self, value: float, exact: Exact, unit: str, shown: Exact | None = None) -> Quantity:
        """A result as a quantity: written exactly where that takes few decimals, otherwise rounded.

        `shown` is what the equation's operands give as they were written, where some of them were rounded: the result is then
        shown with as many decimals as they carry. Raises PrecisionError where those are too few.
        """
        exact = simplified(exact)
        if shown is None and exact.__class__ is int:
            return Quantity(value, exact, str(exact), exact, False, unit)
        text = decimal(exact)
        if text is not None:
            text = _cents(text) if unit == "$" else text
            near = 10 if self.strict else 1  # 5 ÷ 0.42 is no convincing 12
            if shown is None or abs(Fraction(shown - exact)) * near <= _half_unit(text):
                return Quantity(value, exact, text, exact, False, unit)
        for places in range(self.places, 1 if self.strict else -1, -1):
            text, number = rounded(exact, places)
            near = 10 if self.strict and number == exact else 1
            if shown is None or abs(shown - number) * near <= _half_unit(text):
                text = _cents(text) if unit == "$" else text
                return Quantity(value, exact, text, number, number != exact, unit)
        if self.strict:
            raise PrecisionError
        raise UntellableError("rounding", f"{value} cannot be shown from rounded numbers")

    def say(self, left: str, quantity: Quantity, name: Name | None, *, exactly: bool, fact: bool = False) -> str:
        """`left = result` with the result's unit, or `left ≈ result`."""
        return f"{left} {'=' if exactly else '≈'} {self.with_unit(quantity, name, fact)}"

    def with_unit(self, quantity: Quantity, name: Name | None, fact: bool = False) -> str:
        """A result as text: `$1.80`, `56 dollars` behind a bare fact, `12 km`, `25 percent`; bare within a calculation."""
        text = quantity.text
        if name is None:
            return text
        if quantity.unit == "$":
            if fact:
                return f"{text} dollars"
            return f"-${text[1:]}" if text[0] == "-" else f"${text}"
        if name.unit == "percent":
            return text if -1 < quantity.exact < 1 else f"{text} percent"
        if name.unit:
            return f"{text} {SINGULAR.get(name.unit, name.unit.removesuffix('s')) if text == '1' else name.unit}"
        return text

    def unit_for(self, unit: str, name: Name | None) -> str:
        """The unit of a result: what its operands give, corrected by what its name says."""
        if name is None:
            return unit
        if name.unit or name.share:
            return ""
        return "$" if name.money and self.cues.money else unit

    # Sums -------------------------------------------------------------------------------------------------------------

    def add(self, quantities: Sequence[Quantity], minus: Sequence[bool], name: Name | None) -> Quantity:
        """A sum of several terms as one equation. Zeros that nothing led to are left out."""
        if len(quantities) == 2 and not self.break_sums:
            a, b = quantities
            if a.exact.__class__ is b.exact.__class__ is int and not a.rounded and not b.rounded and a.exact and b.exact > 0:
                return self._add_two(a, b, minus[1], name)
        first = quantities[0]
        value, exact, shown = first.value, first.exact, first.shown
        if minus[0]:
            value, exact, shown = -value, -exact, -shown
        uncertain = first.rounded
        unit = first.unit
        shares = first.kind == "fraction"
        for quantity, subtract in zip(quantities[1:], minus[1:], strict=True):
            if subtract:
                value, exact, shown = value - quantity.value, exact - quantity.exact, shown - quantity.shown
            else:
                value, exact, shown = value + quantity.value, exact + quantity.exact, shown + quantity.shown
            uncertain = uncertain or quantity.rounded
            unit = unit or quantity.unit
            shares = shares or quantity.kind == "fraction"
        exact = simplified(exact)
        if shares and all(quantity.kind == "fraction" or quantity.exact == 1 for quantity in quantities):
            return self._add_fractions(quantities, minus, value, exact)
        for quantity in quantities:
            if quantity.kind == "fraction" and quantity.rounded and quantity.step < 0:
                self.clauses.append(("", f"{quantity.exact} is about {quantity.text}"))
        terms = [(q, m) for q, m in zip(quantities, minus, strict=True) if q.exact != 0 or q.step >= 0]
        if len(terms) == 1 and not terms[0][1]:
            return terms[0][0].but(value=value)
        if len(terms) < 2 or terms[0][1]:
            terms = list(zip(quantities, minus, strict=True))
        result = self.settle(value, exact, self.unit_for(unit, name), shown if uncertain else None)
        if quantities[0].exact == 1 and len(quantities) == 2 and minus[1] and quantities[1].kind == "percent":
            result.kind = "percent"
        left = working.chain([q.text for q, _ in terms], [q.exact for q, _ in terms], [m for _, m in terms])
        exactly = (shown if uncertain else exact) == result.shown
        if self.break_sums and len(terms) == 2 and not uncertain and not terms[1][1]:
            worked = working.sum_by_places(terms[0][0].text, terms[1][0].text)
            if worked is not None:
                self.clauses.append((worked[0], self.say(worked[1], result, name, exactly=exactly)))
                return result
        self.clauses.append(("", self.say(left, result, name, exactly=exactly)))
        return result

    def _add_two(self, a: Quantity, b: Quantity, subtract: bool, name: Name | None) -> Quantity:
        """The most frequent sum, without detours: two whole numbers."""
        unit = self.unit_for(a.unit or b.unit, name)
        if subtract:
            result = self.settle(a.value - b.value, a.exact - b.exact, unit)
            self.clauses.append(("", f"{a.text} - {b.text} = {self.with_unit(result, name)}"))
        else:
            result = self.settle(a.value + b.value, a.exact + b.exact, unit)
            self.clauses.append(("", f"{a.text} + {b.text} = {self.with_unit(result, name)}"))
        return result

    def _add_fractions(self, quantities: Sequence[Quantity], minus: Sequence[bool], value: float, exact: Exact) -> Quantity:
        """Fractions stay fractions: "1 - 3/4 leaves 1/4"."""
        left = working.chain([str(q.exact) for q in quantities], [q.exact for q in quantities], minus)
        result = self.fraction(value, exact)
        says = "leaves" if minus[-1] else "make"
        self.clauses.append(("", f"{left} {says} {exact}"))
        return result

    def fraction(self, value: float, exact: Exact) -> Quantity:
        """A share that is told as a fraction (3/4); its text is decimal, for where only that will do."""
        text = decimal(exact)
        if text is not None:
            return Quantity(value, exact, text, exact, kind="fraction" if type(exact) is not int else "")
        text, shown = rounded(exact, self.places)
        return Quantity(value, exact, text, shown, True, kind="fraction")

    # Products ---------------------------------------------------------------------------------------------------------

    def multiply(self, a: Quantity, b: Quantity, name: Name | None) -> Quantity:
        """A product, broken into single-digit facts where that is wanted; "3/4 of 36" and "20% of 25" as such."""
        value, exact = a.value * b.value, a.exact * b.exact
        unit = "" if a.unit and b.unit else a.unit or b.unit
        unit = self.unit_for(unit, name)
        if b.exact == 1 and b.step < 0 and not b.rounded:
            return a.but(value=value, unit=unit)
        if a.exact == 1 and a.step < 0 and not a.rounded:
            return b.but(value=value, unit=unit)
        if a.kind == "fraction" or b.kind == "fraction":
            share, whole = (a, b) if a.kind == "fraction" else (b, a)
            if whole.kind == "fraction":
                result = self.fraction(value, simplified(exact))
                self.clauses.append(("", f"{share.exact} of {whole.exact} is {exact}"))
                return result
            if not whole.rounded and share.exact > 0:
                return self._fraction_of(share, whole, value, unit, name)
        share_head = ""
        if b.kind == "percent" and a.kind != "percent":
            share_head = f"{_percent_text(b)} of {a.text}"
        elif a.kind == "percent" and b.kind != "percent":
            share_head = f"{_percent_text(a)} of {b.text}"
            a, b = b, a
        uncertain = a.rounded or b.rounded
        shown = a.shown * b.shown if uncertain else None
        result = self.settle(value, exact, unit, shown)
        exactly = (exact if shown is None else shown) == result.shown
        self._tell_product(a, b, result, name, exactly, share_head, uncertain)
        return result

    def _tell_product(
        self, a: Quantity, b: Quantity, result: Quantity, name: Name | None, exactly: bool, head: str, uncertain: bool
    ) -> None:
        left = f"{a.text} × {b.text}"
        plain = len(a.text) == 1 and len(b.text) == 1
        if self.break_products and not plain and not uncertain and a.exact > 0 and b.exact > 0:
            parts = working.partial_products(a.text, b.text)
            if parts is not None:
                where, facts, addends = parts
                if self.break_sums and addends.replace(" + ", "").isdecimal():
                    steps, addends = working.added_by_places(tuple(addends.split(" + ")))
                    facts = f"{facts}, {steps}" if steps else facts
                equation = self.say(addends or left, result, name, exactly=exactly)
                where = f"{head} is {where}" if head and where else head or where
                self.clauses.append((where, f"{facts}, so {equation}"))
                return
        fact = plain and a.text > "1" and b.text > "1"
        self.clauses.append((head, self.say(left, result, name, exactly=exactly, fact=fact)))

    def _fraction_of(self, share: Quantity, whole: Quantity, value: float, unit: str, name: Name | None) -> Quantity:
        """3/4 of 36: 36 ÷ 4 = 9, then 9 × 3 = 27."""
        above, below = Fraction(share.exact).as_integer_ratio()
        start = len(self.clauses)
        exact = simplified(share.exact * whole.exact)
        if decimal(exact) is None and type(whole.exact) is int:
            result = self.fraction(value, exact)
            about = f", about {result.text}" if name is not None else ""
            self.clauses.append(("", f"{share.exact} of {whole.text} is {exact}{about}"))
            return result
        divides = above == 1 or whole.exact % below == 0
        last = name if above == 1 or not divides else None
        if divides:
            part = self.divide(whole.but(unit=""), self.given(below), last, unit if last or above == 1 else "")
            result = part if above == 1 else self._times(part, above, unit, name)
        else:
            result = self.divide(self._times(whole, above, "", None), self.given(below), name, unit)
        result = result.but(value=value, unit=unit)
        _, body = self.clauses[start]
        self.clauses[start] = (f"{share.exact} of {whole.text}", body)
        return result

    def _times(self, quantity: Quantity, factor: int, unit: str, name: Name | None) -> Quantity:
        result = self.settle(quantity.value * factor, quantity.exact * factor, unit)
        self._tell_product(quantity, self.given(factor), result, name, not result.rounded, "", quantity.rounded)
        return result

    # Quotients --------------------------------------------------------------------------------------------------------

    def divide(self, a: Quantity, b: Quantity, name: Name | None, unit: str | None = None) -> Quantity:
        """A quotient, told through the facts behind it."""
        if b.exact == 0 or b.value == 0:
            raise UntellableError("division_by_zero", f"{a.text} ÷ 0")
        value = a.value / b.value
        if unit is None:
            unit = self.unit_for("" if a.unit and b.unit else a.unit, name)
        if b.exact == 1 and b.step < 0 and not b.rounded:
            return a.but(value=value, unit=unit)
        if type(a.exact) is int and type(b.exact) is int and not a.exact % b.exact:
            exact: Exact = a.exact // b.exact
        else:
            exact = simplified(Fraction(a.exact) / b.exact)
        if a.kind == "fraction" and b.exact.__class__ is int and not b.rounded and name is None:
            result = self.fraction(value, exact)
            self.clauses.append(("", f"{a.exact} divided by {b.exact} is {exact}"))
            return result
        if b.kind == "fraction" and not a.rounded and b.exact > 0:
            return self._divide_by_fraction(a, b, value, exact, unit, name)
        uncertain = a.rounded or b.rounded
        shown = Fraction(a.shown) / b.shown if uncertain else None
        result = self.settle(value, exact, unit, shown)
        if result.rounded and not uncertain:
            self.last_division = a, b, result
        exactly = (exact if shown is None else shown) == result.shown
        equation = self.say(f"{a.text} ÷ {b.text}", result, name, exactly=exactly)
        if self.division_facts and not uncertain and type(a.exact) is int and type(b.exact) is int:
            steps = working.division_steps(a.exact, b.exact) if a.exact > 0 and b.exact > 1 else None
            if steps is not None and steps[1]:
                self.clauses.append(_told_division(equation, *steps))
                return result
            if (
                exactly
                and a.exact > 0
                and b.exact > 9
                and type(exact) is int
                and 1 < exact < 10_000
                and b.text.strip("0") != "1"
            ):
                equation += f" since {exact} × {b.text} = {a.text}"
        self.clauses.append(("", equation))
        return result

    def _divide_by_fraction(
        self, a: Quantity, b: Quantity, value: float, exact: Exact, unit: str, name: Name | None
    ) -> Quantity:
        """6 divided by 2/3 is 6 × 3 = 18, then 18 ÷ 2 = 9."""
        above, below = Fraction(b.exact).as_integer_ratio()
        start = len(self.clauses)
        product = self._times(a.but(unit=""), below, unit if above == 1 else "", name if above == 1 else None)
        result = product if above == 1 else self.divide(product, self.given(above), name, unit)
        head, body = self.clauses[start]
        by = f"{a.text} divided by {b.exact}"
        self.clauses[start] = (f"{by}, {head}" if head else by, body)
        result.exact = exact
        return result.but(value=value, unit=unit)

    def floor_divide(self, a: Quantity, b: Quantity, name: Name | None) -> Quantity:
        """How often one number goes into another one, and what is left over."""
        value, times, rest = self._quotient(a, b)
        unit = self.unit_for("" if a.unit and b.unit else a.unit, name)
        if rest == 0:
            return self.divide(a, b, name, unit).but(value=value)
        result = self.settle(value, times, unit)
        if type(a.exact) is not int or type(b.exact) is not int or a.exact < 0 or b.exact < 0 or a.rounded or b.rounded:
            equation = self._rounded_quotient(a, b)
            self.clauses.append(("", f"{equation}, rounded down to {self.with_unit(result, name)}"))
        elif times == 0:
            self.clauses.append(("", f"{b.text} does not go into {a.text}, so 0"))
        else:
            self.told_remainder = a.exact, b.exact, self.next_line()
            self.clauses.append(
                (
                    "",
                    f"{b.text} goes {_times(times)} into {a.text}, since {times} × {b.text} = {times * b.exact}, "
                    f"with {rest} left over",
                )
            )
        return result

    def modulo(self, a: Quantity, b: Quantity, name: Name | None) -> Quantity:
        """What is left over of a division."""
        _, times, rest = self._quotient(a, b)
        result = self.settle(a.value % b.value, rest, self.unit_for(a.unit, name))
        if a.rounded or b.rounded or a.exact < 0 or b.exact < 0 or decimal(times * b.exact) is None:
            raise UntellableError("unsupported", f"{a.text} % {b.text}")
        taken = decimal(times * b.exact)
        if self.told_remainder is not None and self.told_remainder[:2] == (a.exact, b.exact):
            self.needs.append(self.told_remainder[2])
            if name is not None:
                self.clauses.append(("", f"{a.text} - {taken} = {self.with_unit(result, name)} left over"))
            return result
        if times == 0:
            self.clauses.append(
                ("", f"{b.text} does not go into {a.text}, so all {self.with_unit(result, name)} are left over")
            )
        elif rest == 0:
            self.clauses.append(("", f"{times} × {b.text} = {a.text}, so 0 left over"))
        else:
            self.clauses.append(
                ("", f"{times} × {b.text} = {taken}, so {a.text} - {taken} = {self.with_unit(result, name)} left over")
            )
        return result

    def _quotient(self, a: Quantity, b: Quantity) -> tuple[float, int, Exact]:
        """Python's `//`, the whole quotient and the rest; they must agree in spite of binary noise."""
        if b.exact == 0 or b.value == 0:
            raise UntellableError("division_by_zero", f"{a.text} ÷ 0")
        value = a.value // b.value
        times, rest = divmod(a.exact, b.exact)
        if value != times:
            raise UntellableError("binary_noise", f"{a.text} // {b.text} is {value} in binary arithmetic")
        return value, times, simplified(rest)

    def _rounded_quotient(self, a: Quantity, b: Quantity) -> str:
        quotient = self.settle(a.value / b.value, Fraction(a.exact) / b.exact, "", Fraction(a.shown) / b.shown)
        exactly = Fraction(a.shown) / b.shown == quotient.shown
        return f"{a.text} ÷ {b.text} {'=' if exactly else '≈'} {quotient.text}"

    # Powers -----------------------------------------------------------------------------------------------------------

    def power(self, a: Quantity, b: Quantity, name: Name | None) -> Quantity:
        """Small whole powers multiplied out, roots and larger powers stated."""
        if abs(b.value) > 400 or (type(a.exact) is int and type(b.exact) is int and a.exact.bit_length() * abs(b.exact) > 400):
            raise UntellableError("too_large", f"{a.text} to the power of {b.text}")
        try:
            value = a.value**b.value
        except (OverflowError, ZeroDivisionError) as error:
            raise UntellableError("too_large", f"{a.text} to the power of {b.text}: {error}") from None
        if isinstance(value, complex):
            raise UntellableError("not_a_number", f"{a.text} to the power of {b.text} is complex")
        unit = self.unit_for("", name)
        if b.exact == 1:
            return a.but(value=value)
        if b.exact == 2 and not a.rounded:
            return self.multiply(a.but(unit=""), a.but(unit=""), name).but(value=value)
        if type(b.exact) is int and 2 < b.exact <= _SPOKEN_POWER and type(a.exact) is int and a.exact > 1:
            product = a.but(unit="")
            for index in range(b.exact - 1):
                product = self.multiply(product, a.but(unit=""), name if index == b.exact - 2 else None)
            return product.but(value=value)
        whole = type(b.exact) is int and abs(b.exact) <= 400 and (a.exact != 0 or b.exact > 0)
        exact = simplified(Fraction(a.exact) ** int(b.exact)) if whole else of_float(value)
        if type(exact) is not int and len(str(exact.denominator)) > 60:
            exact = of_float(value)
        return self.state(
            f"{_root(b)} {a.text}" if _root(b) else f"{a.text} to the power of {b.text}", value, exact, unit, name
        )

    def state(self, what: str, value: float, exact: Exact, unit: str, name: Name | None) -> Quantity:
        """A value that is looked up, not worked out: "the square root of 2 is about 1.41"."""
        result = self.settle(value, exact, unit)
        self.clauses.append(("", f"{what} is {'about ' if result.rounded else ''}{self.with_unit(result, name)}"))
        return result


def _root(power: Quantity) -> str:
    return (
        "the square root of" if power.exact == Fraction(1, 2) else "the cube root of" if power.exact == Fraction(1, 3) else ""
    )


def _told_division(equation: str, head: str, steps: str) -> Clause:
    """The equation of a division with its steps: before it, or behind it where they are its one reason."""
    if not head and steps.startswith("since "):
        return "", f"{equation} {steps}"
    return head, f"{steps}, so {equation}"


def _times(count: int) -> str:
    return {1: "once", 2: "twice"}.get(count, f"{count} times")


def _cents(text: str) -> str:
    """Money with one decimal gets a second one: `1.8` is `1.80`."""
    return text + "0" if len(text) > 2 and text[-2] == "." else text


def _half_unit(text: str) -> Fraction:
    _, _, decimals = text.partition(".")
    return Fraction(1, 2 * 10 ** len(decimals))


def _percent_text(share: Quantity) -> str:
    return f"{decimal(simplified(share.exact * 100))}%"
