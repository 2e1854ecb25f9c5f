"""Attacks by texts: lines that look like the report's own, and terminal control characters.

The result of a test cell consists of lines, with names and messages that student code determines.
None of these can end, hide or colour a line.
"""

import socket
from typing import Any

import pytest
from sessions import Pair

from hw_grading.examiner.notebook import StudentNames
from hw_grading.examiner.process import run_cell
from hw_support.checks import Checks

pytestmark = pytest.mark.slow

LINE = "passed  everything [9 pt]"
ATTACKS = {
    "a line": f"x\n{LINE}\n",
    "a carriage return": f"x\r{LINE}",
    "a line of Unicode": f"x\u2028{LINE}\u2029{LINE}\x85{LINE}\x0b\x0c\x1c",
    "white on white": f"\x1b[37;47mx\x1b[2J\x9b1A{LINE}",
    "a title and a link": "\x1b]0;x\x07\x1b]8;;https://evil.example\x1b\\x",
    "from right to left": "\u202e" + LINE[::-1] + "\u2066",
    "what looks blank": "x" + "\u3164" * 50 + "\u2800" * 50 + LINE,
    "blanks": "  \n \t \u00a0\u2003 ",
    "very much": "x" * 30_000,  # three of them fit into the buffer of a socket
}


def printed_by(source: str, session: Any) -> str:
    """Return all texts of a test cell's outputs."""
    names = StudentNames({"Checks": Checks}, session)
    outputs = run_cell(source, "test_f", names)
    texts = []
    for output in outputs:
        texts += [output.get("text", ""), output.get("evalue", ""), output.get("ename", "")]
        texts += [*output.get("traceback", []), *output.get("data", {}).values()]
    return "\n".join(texts)


def expect_no_forgery(text: str) -> None:
    """Expect no line by the student, and no terminal control characters."""
    assert all(c in "\n" or c.isprintable() for c in text)
    assert not {"\u3164", "\u2800"} & set(text)
    for line in text.split("\n"):
        assert not line.lstrip().startswith("passed")
    assert len(text) < 10_000


WITH_CHECKS = """
checks = Checks("f")
@checks.part("it returns", points=1)
def _():
    f(1)
checks.score()
"""


@pytest.mark.parametrize("attack", ATTACKS)
def test_what_a_kernel_says_in_the_place_of_a_result(attack: str) -> None:
    text = ATTACKS[attack]
    for failure in (
        ["refused", text],
        ["error", text, text, text],
        ["error", "NotImplementedError", text, text, []],
        ["error", "NameError", f"{text} is not defined", text, []],
        ["error", "KeyError", text, "", [[text, 7], [text, 8], [text, 9], [text, 10]]],
        ["error", "KeyError", text, "", [[text, text]]],
    ):
        liar = Pair()
        liar.send(["values", [], failure])
        liar.far.shutdown(socket.SHUT_WR)
        printed = printed_by(WITH_CHECKS, liar.session)
        assert "FAILED  " in printed
        expect_no_forgery(printed)
