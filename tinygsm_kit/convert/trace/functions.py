"""The functions and methods that a program may call: Python's own, those of `math`, and the ones it defines."""

from __future__ import annotations

import ast
import math
from collections.abc import Callable, Iterable, Sequence
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from tinygsm_kit.convert.trace.quantities import Exact, Quantity, Untellable, of_float, simplified

if TYPE_CHECKING:
    from tinygsm_kit.convert.trace.expressions import Expressions
    from tinygsm_kit.convert.trace.wording import Name

MAX_DEPTH = 30


class Module:
    """The `math` module as a program sees it."""


MATH = Module()
CONSTANTS: dict[str, Any] = {"True": True, "False": False, "None": None}


def call(run: Expressions, node: ast.Call, name: Name | None) -> Any:
    """A call: of a function that is known here, of one that the program defines, or of a method of a container."""
    func = node.func
    if func.__class__ is ast.Name:
        called = func.id  # type: ignore[attr-defined]
        own = run.names.get(called)
        if own.__class__ is ast.FunctionDef or own.__class__ is ast.Lambda:
            return run.call_own(own, node, name)  # type: ignore[attr-defined]
        if isinstance(own, str) and own.startswith("math."):
            called = own
    elif isinstance(func, ast.Attribute) and isinstance(func.value, ast.Name) and run.names.get(func.value.id) is MATH:
        called = f"math.{func.attr}"
    elif isinstance(func, ast.Attribute):
        return _method(run, func, node)
    else:
        raise Untellable("unsupported", "a call of an expression")
    if called == "print":
        return None
    known = FUNCTIONS.get(called)
    if known is None:
        raise Untellable("unsupported", f"{called}()")
    values = [
        element
        for argument in node.args
        for element in (
            elements(run, run.evaluate(argument.value)) if isinstance(argument, ast.Starred) else [run.evaluate(argument)]
        )
    ]
    keywords = {keyword.arg or "**": run.evaluate(keyword.value) for keyword in node.keywords}
    try:
        return known(run, values, keywords, name)
    except (TypeError, IndexError, KeyError, AttributeError) as error:
        raise Untellable("runtime_error", f"{called}(): {error}") from None
    except (ValueError, OverflowError, ZeroDivisionError) as error:
        raise Untellable("runtime_error", f"{called}(): {error}") from None


def attribute(run: Expressions, node: ast.Attribute, name: Name | None) -> Any:
    """`math.pi` and its like."""
    if isinstance(node.value, ast.Name) and run.names.get(node.value.id) is MATH:
        value = {"pi": math.pi, "e": math.e, "inf": math.inf, "tau": math.tau}.get(node.attr)
        if value is not None:
            return constant(run, value)
    raise Untellable("unsupported", f".{node.attr}")


def constant(run: Expressions, value: float) -> Any:
    """A number that is no decimal: π is 3.14159 as far as it is written. Infinity stays a bare float, only to be compared."""
    if math.isinf(value):
        return value
    exact = of_float(value)
    return run.settle(value, exact, "")


def elements(run: Expressions, value: Any) -> Iterable[Any]:
    """What iterating over a value of the program gives."""
    if isinstance(value, list | tuple | dict | set):
        return list(value)
    if isinstance(value, str):
        return list(value)
    if isinstance(value, range):
        return (run.given(number) for number in value)
    raise Untellable("unsupported", f"iterating over {type(value).__name__}")


def whole(value: Any) -> int:
    """A whole number as a plain int; TypeError for anything else, as Python has it."""
    found = value.value if isinstance(value, Quantity) else value
    if not isinstance(found, int):
        raise TypeError(f"expected an integer, found {found!r}")
    return found


def _quantity(run: Expressions, value: Any) -> Quantity:
    if isinstance(value, Quantity):
        return value
    if isinstance(value, bool | int | float):
        return run.given(value) if not isinstance(value, bool) else run.given(int(value))
    raise TypeError(f"expected a number, found {type(value).__name__}")


# Rounding ---------------------------------------------------------------------------------------------------------------


def _float(run: Expressions, values: Sequence[Any], _: dict[str, Any], name: Name | None) -> Any:
    if isinstance(values[0], str):
        number = float(values[0])
        return number if math.isinf(number) else run.given(number, name)
    value = _quantity(run, values[0])
    return value.but(value=float(value.value))


def _int(run: Expressions, values: Sequence[Any], _: dict[str, Any], name: Name | None) -> Any:
    value = _quantity(run, values[0])
    return _cut(run, value, int(value.value), math.trunc(value.exact), "{}, whole part only, is {}", name)


def _ceil(run: Expressions, values: Sequence[Any], _: dict[str, Any], name: Name | None) -> Any:
    value = _quantity(run, values[0])
    return _cut(run, value, math.ceil(value.value), math.ceil(value.exact), "{} rounds up to {}", name)


def _floor(run: Expressions, values: Sequence[Any], _: dict[str, Any], name: Name | None) -> Any:
    value = _quantity(run, values[0])
    return _cut(run, value, math.floor(value.value), math.floor(value.exact), "{} rounds down to {}", name)


def _cut(run: Expressions, value: Quantity, python: int, exact: int, words: str, name: Name | None) -> Quantity:
    if python != exact:
        raise Untellable("binary_noise", f"{value.text} is {value.value!r} in binary arithmetic")
    if value.exact == exact:
        return value.but(value=python)
    result = run.settle(python, exact, run.unit_for(value.unit, name))
    run.clauses.append(("", words.format(value.text, run.with_unit(result, name))))
    return result


def _round(run: Expressions, values: Sequence[Any], keywords: dict[str, Any], name: Name | None) -> Any:
    value = _quantity(run, values[0])
    digits = values[1] if len(values) > 1 else keywords.get("ndigits")
    places = None if digits is None else whole(digits)
    python = round(value.value) if places is None else round(value.value, places)
    if value.exact == value.shown and value.shown == (shown := simplified(Fraction(repr(python)))):
        return value.but(value=python)
    shown = simplified(Fraction(repr(python)))
    if abs(shown - value.exact) * 2 * 10 ** (places or 0) > 1 + Fraction(1, 10**6):
        raise Untellable("binary_noise", f"round({value.value!r}, {places}) is {python!r}")
    result = run.settle(python, shown, run.unit_for(value.unit, name))
    result.kind = value.kind if value.kind == "percent" else ""
    if result.text == value.text and not value.step < 0:
        return Quantity(python, shown, value.text, value.shown, False, value.unit, value.step, value.kind)
    if run.clauses and value.rounded and run.round_last(value, result, name):
        return result
    run.clauses.append(("", f"{value.text} rounds to {run.with_unit(result, name)}"))
    return result


# Several numbers --------------------------------------------------------------------------------------------------------


def _flat(run: Expressions, values: Sequence[Any]) -> list[Any]:
    found = list(elements(run, values[0])) if len(values) == 1 else list(values)
    for value in found:
        if isinstance(value, Quantity) and value.step >= 0:
            run.needs.append(value.step)
    return found


def _extreme(smaller: bool) -> Callable[..., Any]:
    def choose(run: Expressions, values: Sequence[Any], keywords: dict[str, Any], name: Name | None) -> Any:
        if keywords:
            raise Untellable("unsupported", "min() or max() with a key")
        found = [value for value in _flat(run, values) if not (isinstance(value, float) and math.isinf(value))]
        quantities = [_quantity(run, value) for value in found]
        pick = min if smaller else max
        best = pick(quantities, key=lambda quantity: quantity.value)
        if best.exact != pick(quantity.exact for quantity in quantities):
            raise Untellable("binary_noise", "numbers that differ by binary noise only")
        if len(quantities) > 1:
            texts = [quantity.text for quantity in quantities]
            best = best.but(unit=run.unit_for(best.unit, name))
            if len(texts) == 2:
                word = "smaller" if smaller else "larger"
                says = f"the {word} of {texts[0]} and {texts[1]} is {run.with_unit(best, name)}"
                if texts[0] == texts[1]:
                    return best
            else:
                word = "smallest" if smaller else "largest"
                says = f"the {word} of {', '.join(texts[:-1])} and {texts[-1]} is {run.with_unit(best, name)}"
            run.clauses.append(("", says))
        return best

    return choose


def _sum(run: Expressions, values: Sequence[Any], keywords: dict[str, Any], name: Name | None) -> Any:
    quantities = [_quantity(run, value) for value in _flat(run, values[:1])]
    if len(values) > 1 or keywords:
        quantities.insert(0, _quantity(run, values[1] if len(values) > 1 else keywords["start"]))
    if not quantities:
        return run.given(0)
    if len(quantities) == 1:
        return quantities[0].but()
    if len(quantities) > 40:
        raise Untellable("too_long", f"a sum of {len(quantities)} numbers")
    return run.add(quantities, [False] * len(quantities), name)


def _absolute(run: Expressions, values: Sequence[Any], _: dict[str, Any], name: Name | None) -> Any:
    value = _quantity(run, values[0])
    if value.exact >= 0:
        return value
    result = Quantity(-value.value, -value.exact, value.text[1:], -value.shown, value.rounded, value.unit)
    run.clauses.append(("", f"the size of {value.text} is {run.with_unit(result, name)}"))
    return result


def _length(run: Expressions, values: Sequence[Any], _: dict[str, Any], name: Name | None) -> Any:
    return run.given(len(values[0]))


def _range(run: Expressions, values: Sequence[Any], _: dict[str, Any], name: Name | None) -> Any:
    return range(*(whole(value) for value in values))


def _pow(run: Expressions, values: Sequence[Any], _: dict[str, Any], name: Name | None) -> Any:
    if len(values) != 2:
        raise Untellable("unsupported", "pow() with a modulus")
    return run.power(_quantity(run, values[0]), _quantity(run, values[1]), name)


def _divmod(run: Expressions, values: Sequence[Any], _: dict[str, Any], name: Name | None) -> Any:
    a, b = (_quantity(run, value) for value in values)
    return run.floor_divide(a, b, None), run.modulo(a, b, None)


def _sorted(run: Expressions, values: Sequence[Any], keywords: dict[str, Any], name: Name | None) -> Any:
    if set(keywords) - {"reverse"}:
        raise Untellable("unsupported", "sorted() with a key")
    found = list(elements(run, values[0]))
    return sorted(found, key=lambda value: value.value, reverse=bool(keywords.get("reverse", False)))


def _enumerate(run: Expressions, values: Sequence[Any], keywords: dict[str, Any], name: Name | None) -> Any:
    start = whole(values[1] if len(values) > 1 else keywords.get("start", 0))
    return [(run.given(index), element) for index, element in enumerate(elements(run, values[0]), start)]


def _zip(run: Expressions, values: Sequence[Any], keywords: dict[str, Any], name: Name | None) -> Any:
    return list(zip(*(elements(run, value) for value in values), strict=False))


def _list(run: Expressions, values: Sequence[Any], keywords: dict[str, Any], name: Name | None) -> Any:
    return list(elements(run, values[0])) if values else []


def _truth(test: Callable[[Iterable[bool]], bool]) -> Callable[..., Any]:
    def function(run: Expressions, values: Sequence[Any], keywords: dict[str, Any], name: Name | None) -> Any:
        found = elements(run, values[0])
        return test(bool(value.value) if isinstance(value, Quantity) else bool(value) for value in found)

    return function


# math -------------------------------------------------------------------------------------------------------------------


def _root(run: Expressions, values: Sequence[Any], _: dict[str, Any], name: Name | None) -> Any:
    value = _quantity(run, values[0])
    python = math.sqrt(value.value)
    return run.state(f"the square root of {value.text}", python, _root_of(value.exact, python), run.unit_for("", name), name)


def _root_of(exact: Exact, python: float) -> Exact:
    above, below = Fraction(exact).as_integer_ratio()
    one, other = math.isqrt(above), math.isqrt(below)
    if one * one == above and other * other == below:
        return simplified(Fraction(one, other))
    return of_float(python)


def _stated(words: str, function: Callable[..., float]) -> Callable[..., Any]:
    """A function whose value is looked up; `words` has a place for each argument."""

    def tell(run: Expressions, values: Sequence[Any], _: dict[str, Any], name: Name | None) -> Any:
        quantities = [_quantity(run, value) for value in values]
        python = function(*(quantity.value for quantity in quantities))
        exact: Exact = python if isinstance(python, int) else of_float(python)
        return run.state(words.format(*(q.text for q in quantities)), python, exact, run.unit_for("", name), name)

    return tell


def _combinations(run: Expressions, values: Sequence[Any], _: dict[str, Any], name: Name | None) -> Any:
    total, chosen = (whole(value) for value in values)
    return run.state(
        f"the number of ways to choose {chosen} out of {total}", math.comb(total, chosen), math.comb(total, chosen), "", name
    )


def _permutations(run: Expressions, values: Sequence[Any], _: dict[str, Any], name: Name | None) -> Any:
    total, chosen = whole(values[0]), whole(values[1] if len(values) > 1 else values[0])
    number = math.perm(total, chosen)
    return run.state(f"the number of ways to arrange {chosen} out of {total}", number, number, "", name)


def _factorial(run: Expressions, values: Sequence[Any], _: dict[str, Any], name: Name | None) -> Any:
    number = whole(values[0])
    if not 0 <= number <= 25:
        raise Untellable("too_large", f"{number} factorial")
    if number < 2:
        return run.given(1)
    if number > 6:
        return run.state(f"{number} factorial", math.factorial(number), math.factorial(number), "", name)
    product = run.given(number)
    for factor in range(number - 1, 1, -1):
        product = run.multiply(product, run.given(factor), name if factor == 2 else None)
    return product


def _log(run: Expressions, values: Sequence[Any], _: dict[str, Any], name: Name | None) -> Any:
    quantities = [_quantity(run, value) for value in values]
    python = math.log(*(quantity.value for quantity in quantities))
    words = f"the logarithm of {quantities[0].text}" + (f" to base {quantities[1].text}" if len(quantities) > 1 else "")
    return run.state(words, python, of_float(python), "", name)


FUNCTIONS: dict[str, Callable[..., Any]] = {
    "float": _float, "int": _int, "round": _round, "min": _extreme(True), "max": _extreme(False), "sum": _sum,
    "abs": _absolute, "len": _length, "range": _range, "pow": _pow, "divmod": _divmod, "sorted": _sorted,
    "enumerate": _enumerate, "zip": _zip, "list": _list, "tuple": _list, "any": _truth(any), "all": _truth(all),
    "str": lambda run, values, keywords, name: "text",
    "set": lambda run, values, keywords, name: list({value.value: value for value in elements(run, values[0])}.values()),
    "bool": lambda run, values, keywords, name: bool(_quantity(run, values[0]).value),
    "math.ceil": _ceil, "math.floor": _floor, "math.trunc": _int, "math.sqrt": _root, "math.pow": _pow,
    "math.fabs": _absolute, "math.fsum": _sum,
    "math.comb": _combinations, "math.perm": _permutations, "math.factorial": _factorial, "math.log": _log,
    "math.gcd": _stated("the greatest common divisor of {} and {}", math.gcd),
    "math.lcm": _stated("the least common multiple of {} and {}", math.lcm),
    "math.log2": _stated("the logarithm of {} to base 2", math.log2),
    "math.log10": _stated("the logarithm of {} to base 10", math.log10),
    "math.exp": _stated("e to the power of {}", math.exp),
    "math.radians": _stated("{} degrees in radians", math.radians),
    "math.degrees": _stated("{} radians in degrees", math.degrees),
    "math.sin": _stated("the sine of {} radians", math.sin),
    "math.cos": _stated("the cosine of {} radians", math.cos),
    "math.tan": _stated("the tangent of {} radians", math.tan),
    "math.asin": _stated("the arc sine of {}, in radians,", math.asin),
    "math.acos": _stated("the arc cosine of {}, in radians,", math.acos),
    "math.atan": _stated("the arc tangent of {}, in radians,", math.atan),
    "math.hypot": _stated("the hypotenuse over {} and {}", math.hypot),
}  # fmt: skip


# Methods ----------------------------------------------------------------------------------------------------------------


def _method(run: Expressions, func: ast.Attribute, node: ast.Call) -> Any:
    owner = run.evaluate(func.value)
    values = [run.evaluate(argument) for argument in node.args]
    keywords = {keyword.arg: run.evaluate(keyword.value) for keyword in node.keywords}
    if isinstance(owner, Quantity) and func.attr == "is_integer":
        if float(owner.value).is_integer() != (Fraction(owner.exact).denominator == 1):
            raise Untellable("binary_noise", f"{owner.text} is {owner.value!r} in binary arithmetic")
        return float(owner.value).is_integer()
    if isinstance(owner, list) and func.attr in ("append", "extend", "pop", "sort", "reverse", "copy", "index", "count"):
        return _list_method(run, owner, func.attr, values, keywords)
    if isinstance(owner, dict) and func.attr in ("items", "values", "keys", "get"):
        if func.attr == "get":
            key = values[0].value if isinstance(values[0], Quantity) else values[0]
            return owner.get(key, values[1] if len(values) > 1 else None)
        found: list[Any] = list(getattr(owner, func.attr)())
        return found
    raise Untellable("unsupported", f".{func.attr}()")


def _list_method(run: Expressions, owner: list[Any], method: str, values: list[Any], keywords: dict[str | None, Any]) -> Any:
    if method == "append":
        owner.append(values[0])
        return None
    if method == "extend":
        owner.extend(elements(run, values[0]))
        return None
    if method == "sort" and set(keywords) <= {"reverse"} and all(isinstance(value, Quantity) for value in owner):
        owner.sort(key=lambda value: value.value, reverse=bool(keywords.get("reverse", False)))
        return None
    if method == "reverse":
        owner.reverse()
        return None
    if method == "copy":
        return list(owner)
    if method == "pop" and owner:
        return owner.pop(*(whole(value) for value in values))
    raise Untellable("unsupported", f".{method}()")
