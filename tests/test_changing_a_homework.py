"""docs/changing-a-homework.md is followed step by step in a copy of the course."""

import re
from dataclasses import dataclass, field
from datetime import datetime

import nbformat
import pytest
from following import COPIED, PAGE, Copy, changes, steps
from nbgrader.api import Gradebook

from hw_grading.commands.sample import cell_of
from hw_grading.gradebook.results import read_results
from hw_grading.homework.course import REPOSITORY, Course

# One copy serves several tests: they have to be in one worker.
pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("changing"), pytest.mark.timeout(1500)]
CHANGE = "Another due date, other points, another mark scheme"
ADD = "A new function"
BEGIN = "A new homework"


@dataclass
class Followed:
    """A copy in which a section was followed, and what the commands printed."""

    copy: Copy
    printed: dict[str, str] = field(default_factory=dict)
    status: dict[str, int] = field(default_factory=dict)

    def expect(self, total, test, points, earned):
        """Expect that each command worked, and that the wrong submission lost points in one test.

        `check` may have found something to do.
        """
        for command, status in self.status.items():
            assert status == 0 or (status == 1 and "hw_support check" in command), command
        results = read_results(Course(self.copy.folder), self.copy.homework)
        assert sum(cell.max_points for cell in results.cells) == total
        full = {cell.name: cell.max_points for cell in results.cells if not cell.by_hand}
        assert full[test] == points
        scores = {
            one.student: {s.cell.name: s.auto for s in one.scores if not s.cell.by_hand}
            for one in (result.known for result in results.handed_in)
        }
        assert scores == {"right": full, "wrong": {**full, test: earned}}


def follow(folder, homework, heading, **wrong):
    """Follow a section; a right and a wrong submission are handed in before grading."""
    followed = Followed(Copy(folder, homework))
    for step in steps(heading):
        if step.kind != "sh":
            followed.copy.edit(step)
            continue
        for command in step.text.splitlines():
            if command.startswith("nbgrader autograde"):
                followed.copy.hand_in("right")
                followed.copy.hand_in("wrong", **wrong)
            done = followed.copy.run(command)
            followed.printed[command] = done.stdout
            followed.status[command] = done.returncode
    return followed


@pytest.fixture(scope="module")
def changed(tmp_path_factory):
    folder = tmp_path_factory.mktemp("changed") / "course"
    return follow(folder, "hw0", CHANGE, as_column="def as_column(x):\n    return x.T")


@pytest.fixture(scope="module")
def added(tmp_path_factory):
    folder = tmp_path_factory.mktemp("added") / "course"
    literals = "def span(x):\n    return 3.0 if len(x) == 3 else 0.0"
    return follow(folder, "hw0", ADD, span=literals)


@pytest.fixture(scope="module")
def begun(tmp_path_factory):
    folder = tmp_path_factory.mktemp("begun") / "course"
    wrong = "def running_mean(x):\n    return np.cumsum(x)"
    return follow(folder, "hw3", BEGIN, running_mean=wrong)


def test_after_a_change_points_and_due_date_are_the_new_ones_everywhere(changed):
    changed.expect(11, "test_as_column", 2, 0)
    said = changed.printed["hw-grading release hw0"]
    assert "hw0.ipynb: cell test_as_column has 2 points now, as its parts; it had 1\n" in said
    front = changed.copy.notebook("release").cells[0].source
    assert "- **Due:** Tuesday, 15 January 2030, 11:59 pm Pacific\n- **Points:** 11\n" in front
    with Gradebook(f"sqlite:///{changed.copy.folder}/gradebook.db") as gradebook:
        due = gradebook.find_assignment("hw0").duedate
    assert due == datetime(2030, 1, 16, 7, 59, 59)  # UTC
    report = changed.printed["hw-grading report hw0"]
    heads, limits = (re.split(r"  +", line) for line in report.splitlines()[:2])
    of = dict(zip(heads, limits, strict=False))
    assert (of["Q0.1"], of["total"]) == ("2", "11")


def test_the_new_mark_scheme_is_in_the_source_and_not_in_the_release(changed):
    source, release = (changed.copy.notebook(room) for room in ("source", "release"))
    assert "A quarter of the point" in cell_of(source, "error_plot_question").source
    assert "point where the title" not in nbformat.writes(release)


def test_a_number_that_was_forgotten_is_named_by_the_release(tmp_path):
    copy = Copy(tmp_path / "course", "hw0")
    for step in steps(CHANGE)[1:2]:  # the notebook alone
        copy.edit(step)
    refused = copy.run("hw-grading release hw0")
    assert refused.returncode == 2
    assert re.search(r"homework.toml: points is 10, but the cells .* sum to 11", refused.stdout)
    assert cell_of(copy.notebook("source"), "test_as_column").metadata.nbgrader["points"] == 1
    copy.edit(steps(CHANGE)[0])
    notebook = copy.notebook("source")
    cell = next(cell for cell in notebook.cells if "(2 points)" in cell.source)
    cell.source = cell.source.replace("(2 points)", "(1 point)")
    nbformat.write(notebook, copy.folder / "source/hw0/hw0.ipynb")
    warned = copy.run("hw-grading release hw0")
    assert warned.returncode == 1
    assert re.search(r"^warning: .*Q0\.1 A column \(1 point\)", warned.stdout, re.M)


def test_a_new_function_is_graded_with_fresh_cases_which_its_feedback_shows(added):
    added.expect(13, "test_span", 3, 0)  # visible cases alone give nothing
    graded = added.copy.folder / "autograded/wrong/hw0/hw0.ipynb"
    cell = cell_of(nbformat.read(graded, as_version=4), "test_span")
    assert "FAILED  values [2 pt]\n" in cell.outputs[0].text
    assert "Fresh input: x = [" in cell.outputs[0].text


def test_students_of_the_new_function_get_its_parts_and_no_staff_code(added):
    release = added.copy.notebook("release")
    test = cell_of(release, "test_span")
    assert test.metadata["jupyter"] == {"source_hidden": True}
    assert 'checks.untouched("x is left as it was", 1)' in test.source
    assert "raise NotImplementedError()" in cell_of(release, "span").source
    text = nbformat.writes(release)
    for word in ("grade_with", "staff.hw0", "HIDDEN", "np.max(x) - np.min(x)"):
        assert word not in text
    assert "| Q0.1b | the span of numbers | 3 | 8 min |\\n" in text


def test_a_new_homework_is_written_released_and_graded_at_once(begun):
    begun.expect(10, "test_running_mean", 6, 0)
    folder = begun.copy.folder
    assert (folder / "dist" / "hw3.zip").is_file()
    feedback = folder / "feedback" / "wrong" / "hw3" / "hw3.html"
    assert "Input: x = [2., 4., -3., 5.]" in feedback.read_text(encoding="utf-8")
    text = nbformat.writes(begun.copy.notebook("release"))
    for word in ("BEGIN", "HIDDEN", "staff", "graders only", "np.cumsum", "{{"):
        assert word not in text


def test_the_page_is_read_whole_and_is_short():
    kinds = {heading: [step.kind for step in steps(heading)] for heading in (CHANGE, ADD, BEGIN)}
    assert kinds == {
        CHANGE: ["diff", "diff", "sh", "sh", "sh"],
        ADD: ["cell", "cell", "cell", "file", "file", "diff", "diff", "sh"],
        BEGIN: ["sh", "sh"],
    }
    assert len(PAGE.read_text(encoding="utf-8").split()) <= 1100


def test_a_diff_is_split_into_removed_and_added_lines():
    assert changes("-a\n+b\n+c\n-d\n+e\n") == [("a", "b\nc"), ("d", "e")]


def test_everything_that_is_copied_exists():
    assert [name for name in COPIED if not (REPOSITORY / name).exists()] == []
