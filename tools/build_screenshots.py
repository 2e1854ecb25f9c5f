"""Take README's pictures of the notebook and the desk, and write them to ``docs/pictures``.

    python -m tools.build_screenshots

It starts JupyterLab and the desk, grades a submission, and takes screenshots in headless Chromium.
The notebook is the release of hw2 with a wrong answer. The class on the desk is invented, and so
are its plots. The feedback is that of a student in hw0's sample class.
"""

import copy
import io
import shutil
import sys
import tempfile
import warnings
from pathlib import Path

import nbformat
from nbformat.v4 import new_output
from nbgrader.api import Gradebook
from PIL import Image
from playwright.sync_api import Browser, Page, ViewportSize, expect
from sqlalchemy.exc import SAWarning

from hw_grading.commands import sample
from hw_grading.commands.sample import cell_of
from hw_grading.gradebook.book import ManualGrading
from hw_grading.gradebook.model import Mark
from hw_grading.homework.course import REPOSITORY, Course, scratch_course
from hw_grading.homework.source_notebook import solved
from hw_grading.texts import write_whole
from tools.loss_plots import loss_plots

sys.path.insert(0, str(REPOSITORY / "tests" / "browser"))
from chromium import chromium
from desk_class import Desk
from lab import Lab
from server import start, start_desk

PICTURES = REPOSITORY / "docs" / "pictures"
HOMEWORK, QUESTION = "hw2", "q1_3e_i"
CLASS = [f"student{number:02}" for number in range(1, 25)]
_VIEW: ViewportSize = {"width": 1200, "height": 760}
_NOTEBOOK_VIEW: ViewportSize = {"width": 1200, "height": 930}  # a question, its test and the result
_WRONG_SIGN = (
    "out = 1 / (1 + np.exp(-np.clip(x, -700.0, 700.0)))",
    "return out, out * (out - 1)",
)
_COLOURS = 64  # a screenshot has few colours, and a PNG with a palette is small


def picture_of_the_notebook(browser: Browser, folder: Path) -> bytes:
    """Answer a question wrongly in JupyterLab, and run its test cell."""
    home = folder / "homework"
    home.mkdir()
    notebook = home / f"{HOMEWORK}.ipynb"
    shutil.copy(Course(REPOSITORY).release(HOMEWORK) / notebook.name, notebook)
    server = start(home, folder / "lab")
    try:
        page = browser.new_page(viewport=_NOTEBOOK_VIEW)
        lab = Lab(page, server, notebook).open("doc/tree")
        lab.answer("sigmoid-activation", *_WRONG_SIGN)
        lab.run("setup", "sigmoid-activation", "test-sigmoid-activation")
        lab.choose("View", "Collapse Selected Code")  # as students see the test
        lab.cell("sigmoid-activation").evaluate("cell => cell.scrollIntoView()")
        expect(lab.outputs("test-sigmoid-activation").first).to_be_in_viewport()
        return page.screenshot()
    finally:
        server.end_kernels()
        server.close()


def pictures_of_the_desk(browser: Browser, folder: Path) -> dict[str, bytes]:
    """Grade some plots of a made-up class on the desk; return an answer and the grid."""
    course = scratch_course(folder / "course")
    if course.nbgrader("generate_assignment", HOMEWORK, log=folder / "log"):
        raise RuntimeError((folder / "log").read_text(encoding="utf-8"))
    write_class(course)
    server = start_desk(course.root, folder / "desk", HOMEWORK)
    try:
        desk = Desk(browser, server, "Kim", HOMEWORK, viewport=_VIEW)
        page: Page = desk.open(QUESTION)
        for _ in range(7):
            here = page.locator("#number").inner_text()
            page.keyboard.press("1")
            page.keyboard.press("n")
            expect(page.locator("#number")).not_to_have_text(here)
            desk.wait()
        page.keyboard.press("t")  # takes what is suggested
        desk.saved()
        one = page.screenshot()
        page.keyboard.press("g")
        expect(page.locator("#tiles img").first).to_be_visible()
        expect(page.locator("#reading")).to_have_text("")  # all notebooks are read
        return {"desk": one, "grid": page.screenshot()}
    finally:
        server.close()


def picture_of_feedback(browser: Browser, folder: Path) -> bytes:
    """Grade a student of hw0's sample class who made a mistake, and open the feedback."""
    course = scratch_course(folder / "graded")
    course.run_nbgrader("generate_assignment", "hw0", log=folder / "log")
    sample.write_class(course, "hw0")
    student = "n-by-n-trap"
    course.run_nbgrader("autograde", "hw0", f"--student={student}", log=folder / "log")
    grade_text(course, student)
    course.run_nbgrader("generate_feedback", "hw0", f"--student={student}", log=folder / "log")
    page = browser.new_page(viewport=_VIEW)
    page.goto((course.root / "feedback" / student / "hw0" / "hw0.html").as_uri())
    return page.screenshot()


def grade_text(course: Course, student: str) -> None:
    """Give a student of hw0 the second item of the written answer, and none of the plot's."""
    book = ManualGrading(course, "hw0")
    for cell, number in (("error_plot", 1), ("error_text", 1)):
        rubric, version = book.rubric(cell), book.grading(cell, student).version
        mark = Mark(frozenset([rubric.items[number].id]), done=True)
        book.save(cell, {student: version}, mark, grader="kim", rubric_revision=rubric.revision)
    book.close()


def write_class(course: Course) -> None:
    """Write the results that `nbgrader autograde` would leave, as far as the desk shows them."""
    name = f"{HOMEWORK}.ipynb"
    source = nbformat.read(course.source(HOMEWORK) / name, as_version=4)
    right = solved(source, source)
    for number, (student, plot) in enumerate(zip(CLASS, loss_plots(), strict=True)):
        notebook = copy.deepcopy(right)
        answer = cell_of(notebook, QUESTION)
        answer.source, answer.outputs = plot.source, [plot.output]
        said = f"epoch 5 of 5: test loss {0.06 + number / 1000:.3f}, accuracy 0.98\n"
        cell_of(notebook, "train_run").outputs = [new_output("stream", name="stdout", text=said)]
        for folder in (course.submitted, course.autograded):
            there = folder(student, HOMEWORK)
            there.mkdir(parents=True)
            nbformat.write(notebook, there / name)
    with warnings.catch_warnings(), Gradebook(course.db_url) as gradebook:
        # Harmless: nbgrader adds submissions in its own order.
        warnings.filterwarnings("ignore", "Object of type", SAWarning)
        for student in CLASS:
            gradebook.add_student(student)
            gradebook.add_submission(HOMEWORK, student)
        for submission in gradebook.assignment_submissions(HOMEWORK):
            for grade in submission.notebooks[0].grades:
                grade.needs_manual_grade = grade.name == QUESTION
                if grade.name != QUESTION:
                    grade.auto_score = grade.max_score
        gradebook.db.commit()


def small(png: bytes) -> bytes:
    """Return a PNG with fewer colours, in a smaller file."""
    stream = io.BytesIO()
    Image.open(io.BytesIO(png)).convert("RGB").quantize(_COLOURS).save(stream, "PNG", optimize=True)
    return stream.getvalue()


def main() -> int:
    """Run the command; returns the exit status."""
    PICTURES.mkdir(exist_ok=True)
    with chromium() as browser, tempfile.TemporaryDirectory() as folder:
        pictures = {
            "notebook": picture_of_the_notebook(browser, Path(folder)),
            **pictures_of_the_desk(browser, Path(folder)),
            "feedback": picture_of_feedback(browser, Path(folder)),
        }
        for name, picture in pictures.items():
            write_whole(PICTURES / f"{name}.png", small(picture))
    return 0


if __name__ == "__main__":
    sys.exit(main())
