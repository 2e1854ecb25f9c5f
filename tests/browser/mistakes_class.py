"""A class that tests have graded, in which many made the same mistakes."""

import itertools
import json
from pathlib import Path

from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook
from nbgrader.api import Gradebook

from hw_grading.gradebook.database import Database
from hw_grading.gradebook.runs import Run, save_run
from hw_grading.outcome import PartResult

ASSIGNMENT = "toys"
RELU = """def relu(x):
    slope = (x > 0).astype(float)
    return np.maximum(x, 0), slope"""
LOSS = """def loss(g, y):
    return -(y * np.log(g) + (1 - y) * np.log(1 - g)).mean()"""
# By mistake: the question, fingerprints and points lost by part, the message, forms of the answer.
WRONG = {
    "slope of 0 is 1": (
        "relu",
        {"slope": ("results: slope: 3.25", 1.0)},
        "slope: 2 of 12 entries are wrong: at [0, 1] expected 0.0, got 1.0",
        [RELU.replace("x > 0", "x >= 0"), RELU.replace("x > 0", "0 <= x").replace("slope", "d")],
    ),
    "no maximum": (
        "relu",
        {"values": ("results: out: -1.5", 2.0), "slope": ("results: slope: 6", 1.0)},
        "out: 5 of 12 entries are wrong: at [0, 0] expected 0.0, got -0.7",
        [
            "def relu(x):\n    return x, np.ones_like(x)",
            "def relu(z):\n    # the identity?\n    out = z\n    grad = np.ones(z.shape)\n"
            "    return out, grad",
            "def relu(x):\n    return x * 1.0, np.ones_like(x)",
        ],
    ),
    "sum": (
        "loss",
        {"values": ("results: loss: 44.1", 2.0)},
        "loss: expected 0.441, got 4.41. Likely cause: every entry is 10 times what it should be",
        [LOSS.replace("mean", "sum")],
    ),
    "log of 0": (
        "loss",
        {"values": ("ValueError: math domain error in '…'", 2.0)},
        "ValueError: math domain error, in loss, line 3",
        [
            "def loss(g, y):\n    total = 0\n    for a in g:\n        total -= math.log(a)\n"
            "    return total / len(g)",
            "def loss(g, y):\n    import math\n    return -sum(map(math.log, g * y))",
        ],
    ),
}
SHARES = {"no maximum": 5, "slope of 0 is 1": 4, "sum": 3, "log of 0": 2}  # of 20 students
ALONE = "loss: expected 0.441, got {}"


def _cell(cell, name, points=0.0, *, is_answer=True):
    marks = {"grade_id": name, "grade": points > 0, "solution": is_answer, "locked": not is_answer}
    marks |= {"schema_version": 3, "task": False} | ({"points": points} if points else {})
    cell.metadata["nbgrader"] = marks
    return cell


def _notebook(relu=RELU, loss=LOSS):
    return new_notebook(
        cells=[
            new_markdown_cell("### 1.1 ReLU (3 points)\nWrite `relu`."),
            _cell(new_code_cell(relu), "relu"),
            _cell(new_code_cell("relu(0)"), "test_relu", 3, is_answer=False),
            new_markdown_cell("### 1.2 Logistic loss (2 points)\nWrite `loss`."),
            _cell(new_code_cell(loss), "loss"),
            _cell(new_code_cell("loss(0, 1)"), "test_loss", 2, is_answer=False),
        ],
        metadata={"hw_grading": {"finished": True}},
    )


def write_wrong_class(root: Path, students: int = 200, alone: int = 5) -> None:
    """Write a graded course; `alone` students have answers that no other has."""
    folder = root / "source" / ASSIGNMENT
    folder.mkdir(parents=True)
    (folder / f"{ASSIGNMENT}.ipynb").write_text(json.dumps(_notebook()), encoding="utf-8")
    (root / "nbgrader_config.py").write_text(
        "from hw_grading import configure\nc = get_config()\nconfigure(c)\n"
    )
    names = [f"student{number:03}" for number in range(students)]
    plan = list(itertools.chain(*([name] * share for name, share in SHARES.items())))
    plan += [""] * (20 - len(plan))
    mistakes = {who: plan[number % 20] for number, who in enumerate(names)}
    right = [who for who in names if not mistakes[who]]
    for number, who in enumerate(right[:alone]):
        mistakes[who] = str(number)
    forms = {name: itertools.cycle(made) for name, (*_, made) in WRONG.items()}
    url = f"sqlite:///{root / 'gradebook.db'}"
    with Gradebook(url) as book:
        book.add_assignment(ASSIGNMENT)
        book.add_notebook(ASSIGNMENT, ASSIGNMENT)
        for test, points in (("test_relu", 3), ("test_loss", 2)):
            book.add_grade_cell(test, ASSIGNMENT, ASSIGNMENT, max_score=points, cell_type="code")
        for answer in ("relu", "loss"):
            book.add_solution_cell(answer, ASSIGNMENT, ASSIGNMENT)
        for student in names:
            book.add_student(student, first_name="Ada", last_name=f"Number {student[-3:]}")
            book.add_submission(ASSIGNMENT, student)
        runs = {}
        for submission in book.assignment_submissions(ASSIGNMENT):
            who = submission.student_id
            parts, answer = _graded(mistakes[who])
            if mistakes[who] in forms:
                answer = {WRONG[mistakes[who]][0]: next(forms[mistakes[who]])}
            for step in ("submitted", "autograded"):
                there = root / step / who / ASSIGNMENT
                there.mkdir(parents=True)
                text = json.dumps(_notebook(**answer))
                (there / f"{ASSIGNMENT}.ipynb").write_text(text, encoding="utf-8")
            for grade in submission.notebooks[0].grades:
                earned = sum(part.earned for part in parts if part.cell == grade.name)
                grade.auto_score, grade.needs_manual_grade = earned, False
            with_ = {"cells": {}, "code": {}, "limits": {}, "packages": {}}
            runs[who] = Run("", {"": ""}, with_, "7", (), 1.0, 2.0, tuple(parts))
        book.db.commit()
    with Database(url).writing() as connection:
        for who, run in runs.items():
            save_run(connection, ASSIGNMENT, who, run)


def _graded(mistake: str) -> tuple[list[PartResult], dict[str, str]]:
    """Return the parts of a run, and the answers that are wrong in a way of their own."""
    alone, wrong = {}, WRONG.get(mistake)
    if mistake and not wrong:
        message = ALONE.format(mistake)
        wrong = ("loss", {"values": (f"results: loss: {mistake}", 2.0)}, message, [])
        alone = {"loss": f"def loss(g, y):\n    return {mistake} * g"}
    parts = []
    for test, name, points in (
        ("relu", "values", 2.0),
        ("relu", "slope", 1.0),
        ("loss", "values", 2.0),
    ):
        found, lost = wrong[1].get(name, ("", 0.0)) if wrong and wrong[0] == test else ("", 0.0)
        passed = not found
        why = "" if passed or not wrong else wrong[2]
        parts.append(
            PartResult(f"test_{test}", name, points, points - lost, passed, why, False, found)
        )
    return parts, alone
