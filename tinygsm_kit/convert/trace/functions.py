"""The functions and methods that a program may call: Python's own, those of `math`, and the ones it defines."""

from __future__ import annotations

import ast
import math
from collections.abc import Callable, Iterable, Sequence
from fractions import Fraction
from typing import TYPE_CHECKING, Any, NamedTuple

from tinygsm_kit.convert.trace.quantities import Exact, Quantity, UntellableError, of_float, simplified

if TYPE_CHECKING:
    from tinygsm_kit.convert.trace.expressions import Expressions
    from tinygsm_kit.convert.trace.wording import Name

MAX_DEPTH = 30


class Module:
    """The `math` module as a program sees it."""


MATH = Module()
CONSTANTS: dict[str, Any] = {"True": True, "False": False, "None": None}


class Call(NamedTuple):
    """The evaluated arguments of a call, and the variable that its value goes to where it is the whole right side."""

    values: Sequence[Any]
    keywords: dict[str, Any]
    name: Name | None


def evaluate_call(run: Expressions, node: ast.Call, name: Name | None) -> Any:
    """A call: of a function that is known here, of one that the program defines, or of a method of a container."""
    func = node.func
    if isinstance(func, ast.Name):
        called = func.id
        own = run.names.get(called)
        if own.__class__ is ast.FunctionDef or own.__class__ is ast.Lambda:
            return run.call_own(own, node, name)
        if isinstance(own, str) and own.startswith("math."):
            called = own
    elif isinstance(func, ast.Attribute) and isinstance(func.value, ast.Name) and run.names.get(func.value.id) is MATH:
        called = f"math.{func.attr}"
    elif isinstance(func, ast.Attribute):
        return _method(run, func, node)
    else:
        raise UntellableError("unsupported", "a call of an expression")
    if called == "print":
        return None
    known = FUNCTIONS.get(called)
    if known is None:
        raise UntellableError("unsupported", f"{called}()")
    values = [
        element
        for argument in node.args
        for element in (
            elements(run, run.evaluate(argument.value)) if isinstance(argument, ast.Starred) else [run.evaluate(argument)]
        )
    ]
    keywords = {keyword.arg or "**": run.evaluate(keyword.value) for keyword in node.keywords}
    try:
        return known(run, Call(values, keywords, name))
    except (TypeError, IndexError, KeyError, AttributeError) as error:
        raise UntellableError("runtime_error", f"{called}(): {error}") from None
    except (ValueError, OverflowError, ZeroDivisionError) as error:
        raise UntellableError("runtime_error", f"{called}(): {error}") from None


def attribute(run: Expressions, node: ast.Attribute, _: Name | None) -> Any:
    """`math.pi` and its like."""
    if isinstance(node.value, ast.Name) and run.names.get(node.value.id) is MATH:
        value = {"pi": math.pi, "e": math.e, "inf": math.inf, "tau": math.tau}.get(node.attr)
        if value is not None:
            return constant(run, value)
    raise UntellableError("unsupported", f".{node.attr}")


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
    raise UntellableError("unsupported", f"iterating over {type(value).__name__}")


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


def _float(run: Expressions, call: Call) -> Any:
    if isinstance(call.values[0], str):
        number = float(call.values[0])
        return number if math.isinf(number) else run.given(number, call.name)
    value = _quantity(run, call.values[0])
    return value.but(value=float(value.value))


def _int(run: Expressions, call: Call) -> Any:
    value = _quantity(run, call.values[0])
    return _cut(run, value, int(value.value), math.trunc(value.exact), "{}, whole part only, is {}", call.name)


def _ceil(run: Expressions, call: Call) -> Any:
    value = _quantity(run, call.values[0])
    return _cut(run, value, math.ceil(value.value), math.ceil(value.exact), "{} rounds up to {}", call.name)


def _floor(run: Expressions, call: Call) -> Any:
    value = _quantity(run, call.values[0])
    return _cut(run, value, math.floor(value.value), math.floor(value.exact), "{} rounds down to {}", call.name)


def _cut(run: Expressions, value: Quantity, python: int, exact: int, words: str, name: Name | None) -> Quantity:
    if python != exact:
        raise UntellableError("binary_noise", f"{value.text} is {value.value!r} in binary arithmetic")
    if value.exact == exact:
        return value.but(value=python)
    result = run.settle(python, exact, run.unit_for(value.unit, name))
    run.clauses.append(("", words.format(value.text, run.with_unit(result, name))))
    return result


def _round(run: Expressions, call: Call) -> Any:
    value = _quantity(run, call.values[0])
    digits = call.values[1] if len(call.values) > 1 else call.keywords.get("ndigits")
    places = None if digits is None else whole(digits)
    python = round(value.value) if places is None else round(value.value, places)
    shown = simplified(Fraction(repr(python)))
    if not value.rounded and value.exact == shown:
        return value.but(value=python)
    distance = abs(Fraction(shown - value.exact)) * 2 * Fraction(10) ** (places or 0)
    down = places is not None and abs(python) < abs(value.value)
    if distance > 1 + Fraction(1, 10**6) or (distance == 1 and down):  # round(49.995, 2) is 49.99: no teacher's rounding
        raise UntellableError("binary_noise", f"round({value.value!r}, {places}) is {python!r}")
    result = run.settle(python, shown, run.unit_for(value.unit, call.name))
    result.kind = value.kind if value.kind == "percent" else ""
    if result.text == value.text and not value.step < 0:
        return Quantity(python, shown, value.text, value.shown, False, value.unit, value.step, value.kind)
    if run.clauses and value.rounded and run.round_last(value, result, call.name):
        return result
    run.clauses.append(("", f"{value.text} rounds to {run.with_unit(result, call.name)}"))
    return result


# Several numbers --------------------------------------------------------------------------------------------------------


def _flat(run: Expressions, values: Sequence[Any]) -> list[Any]:
    found = list(elements(run, values[0])) if len(values) == 1 else list(values)
    for value in found:
        if isinstance(value, Quantity) and value.step >= 0:
            run.needs.append(value.step)
    return found


def _extreme(smaller: bool) -> Callable[..., Any]:
    def choose(run: Expressions, call: Call) -> Any:
        if call.keywords:
            raise UntellableError("unsupported", "min() or max() with a key")
        found = [value for value in _flat(run, call.values) if not (isinstance(value, float) and math.isinf(value))]
        quantities = [_quantity(run, value) for value in found]
        pick = min if smaller else max
        best = pick(quantities, key=lambda quantity: quantity.value)
        if best.exact != pick(quantity.exact for quantity in quantities):
            raise UntellableError("binary_noise", "numbers that differ by binary noise only")
        if len(quantities) > 1:
            texts = [quantity.text for quantity in quantities]
            best = best.but(unit=run.unit_for(best.unit, call.name))
            if len(texts) == 2:
                word = "smaller" if smaller else "larger"
                says = f"the {word} of {texts[0]} and {texts[1]} is {run.with_unit(best, call.name)}"
                if texts[0] == texts[1]:
                    return best
            else:
                word = "smallest" if smaller else "largest"
                says = f"the {word} of {', '.join(texts[:-1])} and {texts[-1]} is {run.with_unit(best, call.name)}"
            run.clauses.append(("", says))
        return best

    return choose


def _sum(run: Expressions, call: Call) -> Any:
    quantities = [_quantity(run, value) for value in _flat(run, call.values[:1])]
    if len(call.values) > 1 or call.keywords:
        quantities.insert(0, _quantity(run, call.values[1] if len(call.values) > 1 else call.keywords["start"]))
    if not quantities:
        return run.given(0)
    if len(quantities) == 1:
        return quantities[0].but()
    if len(quantities) > 40:
        raise UntellableError("too_long", f"a sum of {len(quantities)} numbers")
    return run.add(quantities, [False] * len(quantities), call.name)


def _absolute(run: Expressions, call: Call) -> Any:
    value = _quantity(run, call.values[0])
    if value.exact >= 0:
        return value
    result = Quantity(-value.value, -value.exact, value.text[1:], -value.shown, value.rounded, value.unit)
    run.clauses.append(("", f"the size of {value.text} is {run.with_unit(result, call.name)}"))
    return result


def _length(run: Expressions, call: Call) -> Any:
    return run.given(len(call.values[0]))


def _range(_: Expressions, call: Call) -> Any:
    return range(*(whole(value) for value in call.values))


def _pow(run: Expressions, call: Call) -> Any:
    if len(call.values) != 2:
        raise UntellableError("unsupported", "pow() with a modulus")
    return run.power(_quantity(run, call.values[0]), _quantity(run, call.values[1]), call.name)


def _divmod(run: Expressions, call: Call) -> Any:
    a, b = (_quantity(run, value) for value in call.values)
    return run.floor_divide(a, b, None), run.modulo(a, b, None)


def _sorted(run: Expressions, call: Call) -> Any:
    if set(call.keywords) - {"reverse"}:
        raise UntellableError("unsupported", "sorted() with a key")
    found = list(elements(run, call.values[0]))
    return sorted(found, key=lambda value: value.value, reverse=bool(call.keywords.get("reverse", False)))


def _enumerate(run: Expressions, call: Call) -> Any:
    start = whole(call.values[1] if len(call.values) > 1 else call.keywords.get("start", 0))
    return [(run.given(index), element) for index, element in enumerate(elements(run, call.values[0]), start)]


def _zip(run: Expressions, call: Call) -> Any:
    return list(zip(*(elements(run, value) for value in call.values), strict=False))


def _list(run: Expressions, call: Call) -> Any:
    return list(elements(run, call.values[0])) if call.values else []


def _set(run: Expressions, call: Call) -> Any:
    return list({value.value: value for value in elements(run, call.values[0])}.values()) if call.values else []


def _bool(run: Expressions, call: Call) -> Any:
    return bool(_quantity(run, call.values[0]).value)


def _text(*_: object) -> Any:
    return "text"


def _truth(test: Callable[[Iterable[bool]], bool]) -> Callable[..., Any]:
    def function(run: Expressions, call: Call) -> Any:
        found = elements(run, call.values[0])
        return test(bool(value.value) if isinstance(value, Quantity) else bool(value) for value in found)

    return function


# math -------------------------------------------------------------------------------------------------------------------


def _root(run: Expressions, call: Call) -> Any:
    value = _quantity(run, call.values[0])
    python = math.sqrt(value.value)
    return run.state(
        f"the square root of {value.text}", python, _root_of(value.exact, python), run.unit_for("", call.name), call.name
    )


def _root_of(exact: Exact, python: float) -> Exact:
    above, below = Fraction(exact).as_integer_ratio()
    one, other = math.isqrt(above), math.isqrt(below)
    if one * one == above and other * other == below:
        return simplified(Fraction(one, other))
    return of_float(python)


def _stated(words: str, function: Callable[..., float]) -> Callable[..., Any]:
    """A function whose value is looked up; `words` has a place for each argument."""

    def tell(run: Expressions, call: Call) -> Any:
        quantities = [_quantity(run, value) for value in call.values]
        python = function(*(quantity.value for quantity in quantities))
        exact: Exact = python if isinstance(python, int) else of_float(python)
        return run.state(words.format(*(q.text for q in quantities)), python, exact, run.unit_for("", call.name), call.name)

    return tell


def _combinations(run: Expressions, call: Call) -> Any:
    total, chosen = (whole(value) for value in call.values)
    return run.state(
        f"the number of ways to choose {chosen} out of {total}",
        math.comb(total, chosen),
        math.comb(total, chosen),
        "",
        call.name,
    )


def _permutations(run: Expressions, call: Call) -> Any:
    total, chosen = whole(call.values[0]), whole(call.values[1] if len(call.values) > 1 else call.values[0])
    number = math.perm(total, chosen)
    return run.state(f"the number of ways to arrange {chosen} out of {total}", number, number, "", call.name)


def _factorial(run: Expressions, call: Call) -> Any:
    number = whole(call.values[0])
    if not 0 <= number <= 25:
        raise UntellableError("too_large", f"{number} factorial")
    if number < 2:
        return run.given(1)
    if number > 6:
        return run.state(f"{number} factorial", math.factorial(number), math.factorial(number), "", call.name)
    product = run.given(number)
    for factor in range(number - 1, 1, -1):
        product = run.multiply(product, run.given(factor), call.name if factor == 2 else None)
    return product


def _log(run: Expressions, call: Call) -> Any:
    quantities = [_quantity(run, value) for value in call.values]
    python = math.log(*(quantity.value for quantity in quantities))
    words = f"the logarithm of {quantities[0].text}" + (f" to base {quantities[1].text}" if len(quantities) > 1 else "")
    return run.state(words, python, of_float(python), "", call.name)


FUNCTIONS: dict[str, Callable[..., Any]] = {
    "float": _float, "int": _int, "round": _round, "min": _extreme(True), "max": _extreme(False), "sum": _sum,
    "abs": _absolute, "len": _length, "range": _range, "pow": _pow, "divmod": _divmod, "sorted": _sorted,
    "enumerate": _enumerate, "zip": _zip, "list": _list, "tuple": _list, "any": _truth(any), "all": _truth(all),
    "set": _set, "bool": _bool, "str": _text,
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
            raise UntellableError("binary_noise", f"{owner.text} is {owner.value!r} in binary arithmetic")
        return float(owner.value).is_integer()
    if isinstance(owner, list) and func.attr in ("append", "extend", "pop", "sort", "reverse", "copy", "index", "count"):
        return _list_method(run, owner, func.attr, values, keywords)
    if isinstance(owner, dict) and func.attr in ("items", "values", "keys", "get"):
        if func.attr == "get":
            key = values[0].value if isinstance(values[0], Quantity) else values[0]
            return owner.get(key, values[1] if len(values) > 1 else None)
        found: list[Any] = list(getattr(owner, func.attr)())
        return found
    raise UntellableError("unsupported", f".{func.attr}()")


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
    raise UntellableError("unsupported", f".{method}()")
