"""A class of 40 that tests have graded and people have not, and its desk in a browser."""

import base64
import copy
import io
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import nbformat
from lab import PATIENCE
from matplotlib.figure import Figure
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from nbgrader.api import Gradebook
from playwright.sync_api import Browser, Page, expect
from server import Server

ASSIGNMENT = "toys"
CLASS = [f"student{number:02}" for number in range(40)]
SCHEME = """<!-- BEGIN MARK SCHEME -->
- 1.5: right, with a reason.
- 1: right, without one.
- 0.5: the reason only.
<!-- END MARK SCHEME -->"""
WORST = "<script>window.ran = 1</script><img src=x onerror='window.ran = 2'> $x^2$"

# The answers to "why". Each says which item fits, so that a test can grade it.
BLANK = CLASS[:3]
SAME = CLASS[3:6]
HOSTILE = CLASS[6]


def fits(student: str) -> int:
    """Return the number of the item, from 1, that is right for a student's answer to "why"."""
    if student in BLANK:
        return 4
    return 1 if student in SAME else 1 + CLASS.index(student) % 3


def _why(student: str) -> str:
    if student in BLANK:
        return ""
    if student in SAME:
        return "Because it is so, item 1."
    more = WORST if student == HOSTILE else f"It holds for all $x_{{{student[-2:]}}}$."
    return f"Item {fits(student)} fits. {more}"


def _plot(number: int) -> str:
    figure = Figure(figsize=(6, 4), dpi=60)
    axes = figure.subplots()
    axes.plot([2.0**-step + number / 40 for step in range(9)])
    stream = io.BytesIO()
    figure.savefig(stream, format="png")
    return base64.b64encode(stream.getvalue()).decode("ascii")


def _cell(cell: NotebookNode, name: str, points: float, *, is_answer: bool = True) -> NotebookNode:
    marks = {"grade_id": name, "grade": points > 0, "solution": is_answer, "locked": not is_answer}
    marks |= {"schema_version": 3, "task": False} | ({"points": points} if points else {})
    cell.metadata["nbgrader"] = marks
    return cell


def write_class(root: Path) -> None:
    """Write the course's folder and its gradebook, as `nbgrader autograde` leaves them."""
    source = new_notebook(
        cells=[
            new_markdown_cell("### 1.1 Twice\nWrite `twice`."),
            _cell(new_code_cell("def twice(x):\n    return 2 * x"), "twice", 0),
            new_markdown_cell(f"### 1.2 Why\nSay why `twice` is right for each $x$.\n{SCHEME}"),
            _cell(new_markdown_cell("Because."), "why", 3),
            new_markdown_cell(f"### 1.3 Plot\nPlot the loss.\n{SCHEME}"),
            _cell(new_code_cell("plt.plot(losses)"), "plot", 3),
            new_markdown_cell("### 1.4 Test of twice"),
            _cell(new_code_cell("assert twice(1) == 2"), "test_twice", 2, is_answer=False),
        ]
    )
    folder = root / "source" / ASSIGNMENT
    folder.mkdir(parents=True)
    nbformat.write(source, folder / f"{ASSIGNMENT}.ipynb")
    staff = root / "staff" / ASSIGNMENT
    staff.mkdir(parents=True)
    (staff / "homework.toml").write_text('[shown_beside.why]\nanswers = ["twice"]\n')
    (root / "nbgrader_config.py").write_text("c = get_config()\n")
    plots = [_plot(number) for number in range(4)]
    for student in CLASS:
        notebook = copy.deepcopy(source)
        notebook.cells[3].source = _why(student)
        picture = {"image/png": plots[CLASS.index(student) % 4]}
        if student not in BLANK:
            shown = new_output("display_data", data=picture)
            notebook.cells[5].outputs = [shown] * (2 if student == CLASS[-1] else 1)
        for step in ("submitted", "autograded"):
            there = root / step / student / ASSIGNMENT
            there.mkdir(parents=True)
            (there / f"{ASSIGNMENT}.ipynb").write_text(json.dumps(notebook), encoding="utf-8")
    with Gradebook(f"sqlite:///{root / 'gradebook.db'}") as book:
        book.add_assignment(ASSIGNMENT)
        book.add_notebook(ASSIGNMENT, ASSIGNMENT)
        for name, kind in (("why", "markdown"), ("plot", "code")):
            book.add_grade_cell(name, ASSIGNMENT, ASSIGNMENT, max_score=3, cell_type=kind)
            book.add_solution_cell(name, ASSIGNMENT, ASSIGNMENT)
        book.add_grade_cell("test_twice", ASSIGNMENT, ASSIGNMENT, max_score=2, cell_type="code")
        for student in CLASS:
            book.add_student(student, first_name="Ada <b>", last_name=f"Number {student[-2:]}")
            book.add_submission(ASSIGNMENT, student)
        for submission in book.assignment_submissions(ASSIGNMENT):
            for grade in submission.notebooks[0].grades:
                grade.needs_manual_grade = grade.name != "test_twice"
                grade.auto_score = None if grade.needs_manual_grade else 1.0
        book.db.commit()


@dataclass
class Given:
    """An answer's entries in the gradebook."""

    score: float | None
    comment: str
    waits: bool


def given(root: Path, cell: str) -> dict[str, Given]:
    """Read a question's scores and comments out of nbgrader's own tables."""
    found = {}
    with Gradebook(f"sqlite:///{root / 'gradebook.db'}") as book:
        for submission in book.assignment_submissions(ASSIGNMENT):
            notebook = submission.notebooks[0]
            grade = next(grade for grade in notebook.grades if grade.name == cell)
            comment = next(comment for comment in notebook.comments if comment.name == cell)
            found[submission.student_id] = Given(
                grade.manual_score, comment.manual_comment or "", bool(grade.needs_manual_grade)
            )
    return found


class Desk:
    """One grader's browser: an own context, with an own login and name."""

    def __init__(
        self,
        browser: Browser,
        server: Server,
        name: str,
        assignment: str = ASSIGNMENT,
        **settings: object,
    ) -> None:
        self.assignment = assignment
        settings = {"viewport": {"width": 1280, "height": 800}, "bypass_csp": False, **settings}
        self.context = browser.new_context(**settings)
        self.page: Page = self.context.new_page()
        self.server = server
        self.page.goto(f"{self.place}?token={server.token}")
        dialog = self.page.get_by_role("dialog", name="What is your name?")
        dialog.get_by_role("textbox").fill(name)
        dialog.get_by_role("textbox").press("Enter")
        expect(dialog).to_have_count(0)

    @property
    def place(self) -> str:
        """The address of the overview."""
        return f"{self.server.url}hw-grading/{self.assignment}/"

    def open(self, cell: str, student: str = "") -> Page:
        """Go to an answer, and wait until it is shown."""
        self.page.goto(f"{self.place}grade/{cell}" + (f"?student={student}" if student else ""))
        self.wait()
        return self.page

    def wait(self) -> None:
        """Wait until the answer is there."""
        expect(self.page.locator("#work:not([aria-busy])")).to_be_visible()
        expect(self.page.locator("#marking[aria-busy=false]")).to_be_visible()

    def saved(self) -> None:
        """Wait until everything is saved."""
        expect(self.page.locator("#state")).to_have_text("Saved")

    def close(self) -> None:
        """Close the browser's window, whatever it holds."""
        self.context.close()


@contextmanager
def logging_in(
    browser: Browser, server: Server, **settings: object
) -> Iterator[Callable[..., Desk]]:
    """Yield a function that logs a grader in, each in a browser that is closed at the end."""
    opened: list[Desk] = []

    def log_in(name: str = "Kim", **more: object) -> Desk:
        opened.append(Desk(browser, server, name, **settings | more))
        opened[-1].page.set_default_timeout(PATIENCE)
        return opened[-1]

    yield log_in
    for desk in opened:
        desk.close()
