"""A test cell finds the student's names through its globals, on each Python that is supported.

Python's documentation asks for a plain dict as globals of `exec`; `StudentNames` is a subclass.
"""

from typing import Any

import pytest

from hw_grading.examiner.examination import run_cell
from hw_grading.examiner.names import StudentNames


class Session:
    """The notebook at the other end: three names."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def get(self, name: str) -> Any:
        self.asked.append(name)
        return {"student": 7, "helper": lambda: 8, "len": "a student's"}[name]


@pytest.mark.parametrize(
    "source",
    [
        "student",
        "[student for _ in range(1)][0]",
        "(lambda: student)()",
        "def f():\n    return student\nf()",
        "class C:\n    def value(self):\n        return student\nC().value()",
        "def f():\n    def g():\n        return student\n    return g()\nf()",
        "next(student for _ in 'x')",
        "eval('student')",
        "exec('found = student')\nfound",
        "helper() - 1",
        "globals()['student']",
    ],
)
def test_a_name_that_the_test_does_not_bind_is_the_students(source: str) -> None:
    names = StudentNames({"__name__": "__main__"}, Session())  # type: ignore[arg-type]
    [output] = run_cell(source, "test", names)
    assert output["data"]["text/plain"] == "7.0"


def test_names_of_the_test_the_instructor_and_python_override_the_students() -> None:
    session = Session()
    names = StudentNames({"student": 1}, session, ["helper"])  # type: ignore[arg-type]
    outputs = run_cell("own = 2\nlen('ab') + student + own", "test", names)
    assert outputs[0]["data"]["text/plain"] == "5.0"
    assert session.asked == []
    [error] = run_cell("helper()", "test", names)
    assert error["ename"] == "NameError"


def test_an_unknown_name_is_not_defined() -> None:
    names = StudentNames({}, Session())  # type: ignore[arg-type]
    [error] = run_cell("nobody", "test", names)
    assert (error["ename"], "nobody" in error["evalue"]) == ("NameError", True)
