"""If staff code cannot be imported, that is the grader's fault: no student gets a zero."""

import subprocess
import sys

import nbformat
import pytest
from toy_course import FULL_MARKS, TESTS, run

from hw_grading.batch.local import LocalProcesses
from hw_grading.commands.sample import cell_of
from hw_grading.examiner.process import Fault, compiled
from hw_grading.homework.homework import Homework
from hw_grading.outcome import GraderFault

pytestmark = pytest.mark.slow

# The content of staff/hw2/fresh.py, the import of a test cell, the message.
BROKEN = {
    "missing module": (
        "import math\nimport no_such_module\n",
        "from staff.hw2 import fresh",
        "staff.hw2.fresh cannot be imported: staff/hw2/fresh.py, line 2: "
        "ModuleNotFoundError: No module named 'no_such_module'",
    ),
    "syntax error": (
        "x = 1\n\ndef f(:\n",
        "from staff.hw2 import fresh",
        "staff.hw2.fresh cannot be imported: staff/hw2/fresh.py, line 3: SyntaxError",
    ),
    "exit": (
        "raise SystemExit",
        "from staff.hw2 import fresh",
        "staff.hw2.fresh cannot be imported: staff/hw2/fresh.py, line 1: SystemExit",
    ),
    "name that does not exist": (
        "x = 1\n",
        "from staff.hw2.fresh import y",
        "test cell 'test_triple', line 3, cannot run `from staff.hw2.fresh import y`: "
        "ImportError: cannot import name 'y' from 'staff.hw2.fresh'",
    ),
}


WITH_CHECKS = """from hw_support import Checks

{}
checks = Checks("triple", inputs="x", returns="tripled")
checks.table("of 2", 1, "tripled", cases=[(2, 6)])
checks.score()"""


@pytest.mark.parametrize("helper", [name for name in BROKEN if "does not exist" not in name])
def test_no_submission_is_graded_if_a_helper_cannot_be_imported(helper):
    text, _, said = BROKEN[helper]
    code = {"staff/hw2/__init__.py": b"", "staff/hw2/fresh.py": text.encode()}
    with LocalProcesses(1, Homework("hw2", code=code)) as pool:
        wait_for_imports = pool.start_early()
        with pytest.raises(GraderFault) as fault:
            wait_for_imports()
    assert str(fault.value).startswith(said)
    assert "\n" not in str(fault.value)


def test_a_helper_that_ends_the_process_stops_the_run_with_a_message():
    code = {"staff/hw2/__init__.py": b"", "staff/hw2/fresh.py": b"import os\nos._exit(0)"}
    with LocalProcesses(1, Homework("hw2", code=code)) as pool:
        wait_for_imports = pool.start_early()
        with pytest.raises(GraderFault, match="ended 3 times while it started"):
            wait_for_imports()


@pytest.mark.parametrize("helper", ["syntax error", "name that does not exist"])
def test_the_fault_is_named_nobody_gets_a_zero_and_what_was_graded_stays(course, helper):
    text, line, said = BROKEN[helper]
    course.submit("early", course.answered)
    assert course.grade().returncode == 0

    folder = course.root / "staff" / "hw2"
    (folder / "__init__.py").touch()
    (folder / "fresh.py").write_text(text)
    path = course.root / "source" / "hw2" / "hw2.ipynb"
    notebook = nbformat.read(path, as_version=4)
    cell_of(notebook, "test_triple").source = WITH_CHECKS.format(line)
    nbformat.write(notebook, path)
    assert run(course.root, "generate_assignment", "hw2", "--force").returncode == 0
    course.submit("late", course.answered)
    done = course.grade()
    assert done.returncode == 1
    assert said in done.stderr
    assert {score for score in course.scores("late").values() if score is not None} == set()
    assert course.test_scores("early") == TESTS

    (folder / "fresh.py").write_text("x = y = 1\n")
    assert course.grade().returncode == 0
    assert sum(course.test_scores("late").values()) == FULL_MARKS


def test_a_fault_in_a_test_cell_does_not_wait_for_the_limit_of_the_cell(course):
    (course.root / "nbgrader_config.py").open("a").write(
        "c.ExecuteSubmission.wall_seconds_per_cell = 3600\n"
        "c.ExecuteSubmission.cpu_seconds_per_cell = 3600\n"
    )
    path = course.root / "source" / "hw2" / "hw2.ipynb"
    notebook = nbformat.read(path, as_version=4)
    cell_of(notebook, "test_double").source = "import no_such_module\nChecks('f')"
    nbformat.write(notebook, path)
    assert run(course.root, "generate_assignment", "hw2", "--force").returncode == 0
    course.submit("student", course.answered)
    done = course.grade()  # which the toy course gives five minutes
    assert done.returncode == 1
    assert "test cell 'test_double', line 1, cannot run `import no_such_module`" in done.stderr


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("import no_such", "line 1, cannot run `import no_such`: ModuleNotFoundError"),
        (
            "x = 1\nfrom json import no_such",
            "line 2, cannot run `from json import no_such`: ImportError: cannot import name",
        ),
        ("def f():\n    from json import no_such", "cannot import name 'no_such' from 'json'"),
        ("from hw_support import no_such", "cannot import name 'no_such' from 'hw_support'"),
    ],
)
def test_a_failed_import_is_reported_with_its_line(source, said):
    with pytest.raises(Fault) as fault:
        compiled(source, "test_q1")
    assert str(fault.value).startswith("test cell 'test_q1', ")
    assert said in str(fault.value)
    assert "\n" not in str(fault.value)


def test_imports_that_work_or_stand_in_a_try_statement_are_no_fault():
    compiled("import json, os.path\nfrom json import decoder, loads\nfrom os import *", "t")
    compiled("try:\n    import no_such\nexcept ImportError:\n    pass", "t")


SUBMITS = """
import os, socket
from hw_grading.examiner.client import Examination, Request
from hw_grading.homework.homework import Homework
link, other = socket.socketpair()
Examination(link, Request(os.getpid(), 1, [], [], []), Homework("toys")).process()
"""


def test_an_examiner_ends_in_silence_when_the_grader_does():
    done = subprocess.run([sys.executable, "-c", SUBMITS], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
