"""Restore a program from what a language model wrote, without guessing.

What is undone: Markdown fences and prose around the code, escapes of Markdown and HTML, a body that lost its
indentation, text or a cut behind the function's last statement, docstrings, calls and prints of the own result. What
would be a guess (a function cut off before its `return`, two readings of one text) is refused with its reason.
"""

from __future__ import annotations

import ast
import html
import re
from collections.abc import Iterator, Sequence

_FENCE = re.compile(r"^[ \t]*(?:```|~~~)[ \t]*\w*[ \t]*\n(.*?)(?:^[ \t]*(?:```|~~~)|\Z)", re.S | re.M)
_OPEN_FENCE = re.compile(r"^[ \t]*(?:```|~~~)", re.M)
_FUNCTION = re.compile(r"^(?:async[ ]+)?def[ ]+[\w\\]+[ ]*\(", re.M)
_CODE_START = re.compile(r"^(?:(?:async[ ]+)?def|import|from|class)[ ]+\S|^[A-Za-z_]\w*[ ]*=[ ]*\S", re.M)
_ESCAPED = re.compile(r"\\([_*#\[\]<>()+\-`~])")
_RETURN = re.compile(r"^return\b.*$", re.M)
_DEFINITIONS = (ast.FunctionDef, ast.ClassDef, ast.Import, ast.ImportFrom)
_ASSIGNMENTS = (ast.Assign, ast.AnnAssign, ast.AugAssign)
ENTRY = "solution"
"""The name of the function that a bare script is wrapped in."""


class ProgramError(ValueError):
    """A program that cannot be restored or run. `reason` is a short stable slug, `detail` says what was found."""

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(f"{reason}: {detail}" if detail else reason)
        self.reason = reason
        self.detail = detail


def restore(code: str) -> str:
    """The program in a language model's reply as clean, parseable Python; see the module for what is undone.

    Raises ProgramError: `no_code`, `cut_off`, `no_return`, `needs_arguments`, `syntax`.
    """
    text = code.replace("\r\n", "\n").replace("\x00", "").expandtabs(4)
    error: ProgramError | None = None
    for block in _blocks(text):
        try:
            return _clean(block)
        except ProgramError as found:
            if error is None or error.reason == "no_code":
                error = found
            if found.reason != "no_code":
                break  # The first block with a function is the solution: a later one would be a guess.
    if error is None or (error.reason == "syntax" and not _FUNCTION.search(text)):
        raise ProgramError("no_code", _start(text))
    if error.reason in ("syntax", "no_return") and _is_cut(text):
        raise ProgramError("cut_off", error.detail)
    raise error


def solution_function(tree: ast.Module) -> ast.FunctionDef:
    """The last function defined at top level. Raises ProgramError(`no_code`) where there is none."""
    for node in reversed(tree.body):
        if isinstance(node, ast.FunctionDef):
            return node
    raise ProgramError("no_code", "no function at top level")


def _start(text: str) -> str:
    line = text.strip().partition("\n")[0]
    return f"the reply begins {line[:80]!r}" if line else "the reply is empty"


def _is_cut(text: str) -> bool:
    """Whether the reply ends inside its code: a fence that is never closed, or no text behind the code."""
    return len(_OPEN_FENCE.findall(text)) % 2 == 1 or not _OPEN_FENCE.search(text)


def _blocks(text: str) -> Iterator[str]:
    """The pieces of the reply that may hold the program: fenced blocks with a function first, or the bare text."""
    fenced = [match[1] for match in _FENCE.finditer(text)]
    if fenced:
        yield from sorted(fenced, key=lambda block: _FUNCTION.search(block) is None)
        return
    yield text


def _clean(block: str) -> str:
    for candidate in _candidates(block):
        try:
            tree = ast.parse(candidate)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            continue
        _check_last_line(candidate, tree)
        return _select(candidate, tree)
    detail = ""
    try:
        ast.parse(block)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        detail = f"line {getattr(error, 'lineno', None)}: {getattr(error, 'msg', error)}"
    raise ProgramError("syntax", detail)


def _candidates(block: str) -> Iterator[str]:
    """Readings of the block from the most literal to the most repaired; each one undoes damage, none adds content."""
    yield block
    start = _CODE_START.search(block)
    code = block[start.start() :] if start else block
    if start and start.start():
        yield code
    plain = html.unescape(_ESCAPED.sub(r"\1", code))
    if plain != code:
        escaped_start = _CODE_START.search(plain)
        code = plain[escaped_start.start() :] if escaped_start else plain
        yield code
    yield from _without_tail(code)
    yield from _indented(code)


def _without_tail(code: str) -> Iterator[str]:
    """The code up to the end of its last function, where what follows (prose, a cut-off call) does not parse.

    The last function must be whole: its last statement at the level of the body is a `return`.
    """
    functions = list(_FUNCTION.finditer(code))
    if not functions:
        return
    lines = code[functions[-1].start() :].split("\n")
    body = [line for line in lines[1:] if line.strip() and not line.lstrip().startswith("#")]
    indent = len(body[0]) - len(body[0].lstrip()) if body else 0
    if not indent:
        return
    for index in range(len(lines) - 1, 0, -1):
        if re.match(rf"[ ]{{{indent}}}return\b", lines[index]):
            complete = index < len(lines) - 1  # A line without its end may be cut in the middle of a number.
            if complete:
                yield code[: functions[-1].start()] + "\n".join(lines[: index + 1]) + "\n"
            return


def _indented(code: str) -> Iterator[str]:
    """The single function of a text whose body lost its indentation, up to the only `return` at its level."""
    functions = list(_FUNCTION.finditer(code))
    if len(functions) != 1:
        return
    head, newline, rest = code[functions[0].start() :].partition("\n")
    returns = list(_RETURN.finditer(rest))
    if not newline or len(returns) != 1 or returns[0].end() == len(rest):
        return
    body = rest[: returns[0].end()].split("\n")
    yield code[: functions[0].start()] + head + "\n" + "\n".join(f"    {line}" if line.strip() else "" for line in body) + "\n"


def _check_last_line(source: str, tree: ast.Module) -> None:
    """Refuse a text that may end inside its last word: only a variable that can be no other one's beginning is whole."""
    last = source.rpartition("\n")[2]
    if not last.strip() or last.lstrip().startswith("#") or not tree.body:
        return
    function = tree.body[-1]
    if not isinstance(function, ast.FunctionDef):
        return
    bound = {name.id for name in ast.walk(function) if isinstance(name, ast.Name) and isinstance(name.ctx, ast.Store)}
    name = re.fullmatch(r"\s+return[ ]+(\w+)\s?", last)
    whole = name is not None and name[1] in bound and not any(other != name[1] and other.startswith(name[1]) for other in bound)
    if not whole:
        raise ProgramError("cut_off", f"the text ends in {last.strip()[-60:]!r}")


def _select(source: str, tree: ast.Module) -> str:
    """The definitions, imports and constants of a parsed program, without docstrings, calls, prints and main guards."""
    functions = [node for node in tree.body if isinstance(node, ast.FunctionDef)]
    if not functions:
        return _wrap_script(source, tree)
    solution = functions[-1]
    if _required_arguments(solution):
        raise ProgramError("needs_arguments", f"{solution.name}({ast.unparse(solution.args)})")
    if not _returns(solution):
        raise ProgramError("no_return", f"{solution.name} has no return")
    used = {node.id for function in functions for node in ast.walk(function) if isinstance(node, ast.Name)}
    keep = [
        node
        for node in tree.body
        if isinstance(node, _DEFINITIONS)
        or (isinstance(node, _ASSIGNMENTS) and _targets(node) & used and not _calls(node, solution))
    ]
    return _slice(source, keep, functions)


def _required_arguments(function: ast.FunctionDef) -> bool:
    arguments = function.args
    positional = len(arguments.posonlyargs) + len(arguments.args) - len(arguments.defaults)
    return positional > 0 or any(default is None for default in arguments.kw_defaults)


def _returns(function: ast.FunctionDef) -> bool:
    """Whether the function itself, not one inside it, returns a value."""
    pending: list[ast.AST] = list(function.body)
    while pending:
        node = pending.pop()
        if isinstance(node, ast.Return):
            return node.value is not None
        if not isinstance(node, ast.FunctionDef | ast.Lambda | ast.ClassDef):
            pending.extend(ast.iter_child_nodes(node))
    return False


def _targets(node: ast.stmt) -> set[str]:
    targets = (
        node.targets
        if isinstance(node, ast.Assign)
        else [node.target]
        if isinstance(node, ast.AnnAssign | ast.AugAssign)
        else []
    )
    return {name.id for target in targets for name in ast.walk(target) if isinstance(name, ast.Name)}


def _calls(node: ast.stmt, function: ast.FunctionDef) -> bool:
    return any(isinstance(name, ast.Name) and name.id == function.name for name in ast.walk(node))


def _slice(source: str, keep: Sequence[ast.stmt], functions: list[ast.FunctionDef]) -> str:
    """The source lines of the statements kept, comments inside them included, docstrings left out."""
    lines = source.split("\n")
    dropped: set[int] = set()
    for function in functions:
        first = function.body[0]
        if (
            len(function.body) > 1
            and isinstance(first, ast.Expr)
            and isinstance(first.value, ast.Constant)
            and isinstance(first.value.value, str)
            and first.lineno > function.lineno
            and function.body[1].lineno > (first.end_lineno or first.lineno)
        ):
            dropped.update(range(first.lineno, (first.end_lineno or first.lineno) + 1))
    pieces = []
    for node in keep:
        start = min([node.lineno, *(decorator.lineno for decorator in getattr(node, "decorator_list", []))])
        end = node.end_lineno or node.lineno
        if node.col_offset or any(
            other is not node and other.lineno <= end and (other.end_lineno or 0) >= start for other in keep
        ):
            pieces.append(ast.unparse(node))  # Two statements on one line.
        else:
            pieces.append("\n".join(lines[number - 1].rstrip() for number in range(start, end + 1) if number not in dropped))
    return "\n".join(pieces) + "\n"


def _wrap_script(source: str, tree: ast.Module) -> str:
    """A bare script as a function: it must end in `result = …`, in a single print of one value, or in both."""
    body = [node for node in tree.body if not isinstance(node, ast.Expr) or not isinstance(node.value, ast.Constant)]
    if not any(isinstance(node, _ASSIGNMENTS) for node in body):
        raise ProgramError("no_code", _start(source))
    prints = [node for node in body if _printed(node) is not None]
    assigned = {name for node in body for name in _targets(node)}
    if "result" in assigned:
        answer = "result"
    elif len(prints) == 1 and prints[0] is body[-1]:
        answer = ast.unparse(_printed(prints[0]) or prints[0])
    else:
        raise ProgramError("no_return", "a script without a function that neither sets `result` nor ends in its only print")
    kept = "\n".join(ast.unparse(node) for node in body if node not in prints)
    program = f"def {ENTRY}():\n" + "".join(f"    {line}\n" for line in kept.split("\n")) + f"    return {answer}\n"
    ast.parse(program)
    return program


def _printed(node: ast.stmt) -> ast.expr | None:
    """The one value that a statement prints, text left out; None where it prints nothing or more than that."""
    call = node.value if isinstance(node, ast.Expr) else None
    if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Name) or call.func.id != "print":
        return None
    values = [value for value in call.args if not (isinstance(value, ast.Constant) and isinstance(value.value, str))]
    return values[0] if len(values) == 1 and not isinstance(values[0], ast.JoinedStr) else None
