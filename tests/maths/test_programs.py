"""Programs as language models wrote them: restored without guessing, run safely, counted."""

import ast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tinygsm_kit.maths.programs import ProgramError, difficulty, restore, run

WHOLE = "def solution():\n    a = 3\n    b = a * 4\n    return b\n"


@pytest.mark.parametrize(
    "code",
    [
        WHOLE,
        f"```python\n{WHOLE}```",
        f"```\n{WHOLE}```\nThis returns 12.",
        f"**Reasoning:** 3 * 4\n\n```python\n{WHOLE}\nprint(solution())\n```\nand so on\n```python\nprint(solution())\n```",
        f"Here is the program:\n\n{WHOLE}\nIt returns 12, as we've seen.",
        f"{WHOLE}\nprint(solution())\n",
        f'{WHOLE}\nif __name__ == "__main__":\n    print(solution())\n',
        f"{WHOLE}\nresult = solution()\nprint(result)\n",
        f"```python\n{WHOLE}\nprint(soluti",  # cut off behind the return
        WHOLE.replace("    a = 3", '    """How many?"""\n    a = 3'),
        WHOLE.replace("\n", "\r\n"),
        WHOLE.rstrip(),
        "def solution():\n\ta = 3\n\tb = a * 4\n\treturn b\n",
    ],
)
def test_whole_programs_lose_what_is_not_program(code):
    assert restore(code) == WHOLE


@pytest.mark.parametrize(
    ("code", "answer"),
    [
        ('def f() -> int:\n"""\nHow many?\n"""\na = 3\nb = a * 4\n\nreturn b\n\nprint(f())\n', "12"),  # indentation lost
        ("def number\\_of\\_eggs() -> int:\na\\_b = 3 \\* 4\nreturn a\\_b\n\nnumber\\_of\\_eggs()", "12"),  # Markdown escapes
        ("def f() -&gt; int:\n    return 3 * 4\n", "12"),
        ("import math\n\ndef f():\n    return math.ceil(11.5)\n", "12"),
        ("def f():\n    return 3 * 4\n", "12"),
        ("PRICE = 4\n\ndef f():\n    return 3 * PRICE\n", "12"),
        ("def g(x):\n    return 3 * x\n\ndef f():\n    return g(4)\n", "12"),
        ("apples = 3\nresult = apples * 4\n", "12"),
        ("apples = 3\nprint('Total:', apples * 4)\n", "12"),
        ("def f():\n    if 3 > 2:\n        return 12\n    return 0\n", "12"),
    ],
)
def test_damaged_and_unusual_programs_are_restored(code, answer):
    assert run(restore(code)) == answer


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("", "no_code"),
        ("I cannot solve this.", "no_code"),
        ("```python\ndef f():\n    a = 12\n", "cut_off"),
        ("def f():\n    a = 12\n    return a + 1", "cut_off"),  # 1 or the beginning of 15
        ("def f():\n    a = 12\n    ab = a * 2\n    return a", "cut_off"),  # a or the beginning of ab
        ('```python\ndef f():\n    """\n    How many', "cut_off"),
        ("```python\ndef f():\n    a = (12 +", "cut_off"),
        ("```python\ndef f():\n    if 1 > 2:\n        return 3\n    b = 4 *", "cut_off"),
        ("```python\ndef g():\n    return 3\n\ndef f():\n    b = 4", "cut_off"),  # which of the two is the solution?
        ("```python\ndef f():\na = 3\nif a > 2:\nb = 4\nreturn b\n```", "syntax"),  # what belonged to the if is a guess
        ("```python\ndef f():\n    print(3)\n```\nThat is it.", "no_return"),
        ("def f(x):\n    return x\n", "needs_arguments"),
    ],
)
def test_what_would_be_a_guess_is_refused(code, reason):
    with pytest.raises(ProgramError) as error:
        restore(code)
    assert error.value.reason == reason


@settings(max_examples=200, deadline=None)
@given(st.integers(0, 400), st.sampled_from(["", "```python\n"]))
def test_a_cut_never_changes_what_a_program_says(at, fence):
    program = (
        "def solution():\n    apples = 120\n    # eaten on the way\n    eaten = 35\n"
        "    left = apples - eaten\n    result = left * 25\n    return result\n\nprint(solution())\n"
    )
    cut = (fence + program)[: len(fence) + at]
    try:
        restored = restore(cut)
    except ProgramError:
        return
    assert ast.dump(ast.parse(restored)) == ast.dump(ast.parse(program.partition("\n\n")[0]))


@pytest.mark.parametrize(
    ("body", "answer"),
    [
        ("return 85.0 * 2", "170"),
        ("return 0.1 + 0.2", "0.3"),
        ("return 10 / 3", "3.333333"),
        ("print('hi')\n    return -7", "-7"),
    ],
)
def test_answers_are_normalised(body, answer):
    assert run(f"def f():\n    {body}\n") == answer


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("return True", "answer_bool"),
        ("return None", "answer_none"),
        ("return '12'", "answer_text"),
        ("return 1, 2", "answer_tuple"),
        ("return float('nan')", "answer_nan"),
        ("return float('inf')", "answer_inf"),
        ("return 1 / 0", "error"),
        ("return open('/etc/passwd').read()", "error"),
        ("while True:\n        pass", "timeout"),
        ("return len([0] * 10 ** 9)", "memory"),
        ("g = lambda n: g(n + 1)\n    return g(0)", "recursion"),
    ],
)
def test_what_is_no_answer_has_its_reason(body, reason):
    with pytest.raises(ProgramError) as error:
        run(f"def f():\n    {body}\n")
    assert error.value.reason == reason


def test_one_program_leaves_nothing_for_the_next():
    run("def f():\n    global leaked\n    leaked = 5\n    return leaked\n")
    with pytest.raises(ProgramError, match="leaked"):
        run("def f():\n    return leaked\n")


def test_difficulty_counts_operations():
    assert difficulty("def f():\n    a = -3 + 4 * 5\n    a += 2\n    return a ** 2 // 3 if a > 1 else 0\n") == 5
