"""docs/changing-a-homework.md is followed step by step in a copy of the course."""

import re
from dataclasses import dataclass, field
from datetime import datetime

import nbformat
import pytest
from following import COPIED, Copy, changes, steps
from nbgrader.api import Gradebook

from hw_grading.commands.sample import cell_of
from hw_grading.homework.course import REPOSITORY
from hw_grading.records.results import Status, read_results

# One copy serves several tests: they have to be in one worker.
pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("changing"), pytest.mark.timeout(1500)]
CHANGE = "Another due date, other points, another mark scheme"
ADD = "A new function, and a new question"
BEGIN = "A new homework"


@dataclass
class Followed:
    """A copy in which a section was followed, and what the commands printed."""

    copy: Copy
    printed: dict[str, str] = field(default_factory=dict)
    status: dict[str, int] = field(default_factory=dict)

    def scores(self, student):
        """The automatic scores of the test cells."""
        _, results = read_results(self.copy.folder, self.copy.homework)
        [result] = [result for result in results if result.record.student == student]
        assert result.status is not Status.NOT_GRADED
        return {s.cell.name: s.auto for s in result.record.scores if not s.cell.by_hand}

    def full(self):
        """The points of the test cells."""
        roster, _ = read_results(self.copy.folder, self.copy.homework)
        return {cell.name: cell.max_points for cell in roster.cells if not cell.by_hand}

    def total(self):
        roster, _ = read_results(self.copy.folder, self.copy.homework)
        return roster.max_total


def follow(folder, homework, heading, **wrong):
    """Follow a section; a right and a wrong submission are handed in before grading."""
    followed = Followed(Copy(folder, homework))
    for step in steps(heading):
        if step.kind != "sh":
            followed.copy.edit(step)
            continue
        for command in step.text.splitlines() if step.where != "tests" else ():
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
    return follow(folder, "hw0", ADD, span="def span(x):\n    return np.max(x) + 1")


@pytest.fixture(scope="module")
def begun(tmp_path_factory):
    folder = tmp_path_factory.mktemp("begun") / "course"
    wrong = "def running_mean(x):\n    return np.cumsum(x)"
    return follow(folder, "hw3", BEGIN, running_mean=wrong)


def expect_commands(followed):
    """Every command succeeded; `check` may have found something to do."""
    assert followed.status
    for command, status in followed.status.items():
        assert status == 0 or (status == 1 and "hw_support check" in command), command


def expect_one_loss(followed, test, earned):
    """Expect all points for the right submission, and a loss in only one cell for the wrong one."""
    full = followed.full()
    assert followed.scores("right") == full
    assert followed.scores("wrong") == {**full, test: earned}
    assert earned < full[test]


# -- another due date, other points, another mark scheme


def test_after_a_change_every_command_succeeds_and_the_points_are_the_new_ones(changed):
    expect_commands(changed)
    assert changed.total() == 11
    assert changed.full()["test_as_column"] == 2
    expect_one_loss(changed, "test_as_column", 0.25)


def test_the_new_due_date_is_in_the_notebook_and_in_the_gradebook(changed):
    front = changed.copy.notebook("release").cells[0].source
    assert "- **Due:** Tuesday, 15 January 2030, 11:59 pm Pacific\n" in front
    assert "- **Points:** 11\n" in front
    with Gradebook(f"sqlite:///{changed.copy.folder}/gradebook.db") as gradebook:
        due = gradebook.find_assignment("hw0").duedate
    assert due == datetime(2030, 1, 16, 7, 59, 59)  # UTC


def test_the_report_and_the_students_check_have_the_new_points(changed):
    report = changed.printed["python -m hw_grading report hw0"]
    heads, limits = (re.split(r"  +", line) for line in report.splitlines()[:2])
    of = dict(zip(heads, limits, strict=False))
    assert of["Q0.1"] == "2"
    assert of["total"] == "11"
    [checked] = [text for command, text in changed.printed.items() if " check " in command]
    assert re.search(r"^.*as_column.* 1\.75\b.*$|^.*Q0\.1.*\b2\b.*$", checked, re.M), checked


def test_the_new_mark_scheme_is_in_the_source_and_not_in_the_release(changed):
    source, release = (changed.copy.notebook(room) for room in ("source", "release"))
    assert "A quarter of the point" in cell_of(source, "error_plot_question").source
    assert "point where the title" not in nbformat.writes(release)


def test_the_tests_of_the_page_pass_in_the_changed_course(changed):
    [step] = [step for step in steps(CHANGE) if step.where == "tests"]
    done = changed.copy.run(step.text)
    assert done.returncode == 0
    assert re.search(r"\d\d passed", done.stdout)


@pytest.fixture
def pristine(tmp_path):
    return Copy(tmp_path / "course", "hw2")


def edit(copy, old, new):
    notebook = copy.notebook("source")
    [cell] = [cell for cell in notebook.cells if old in cell.source]
    cell.source = cell.source.replace(old, new)
    nbformat.write(notebook, copy.folder / "source" / copy.homework / f"{copy.homework}.ipynb")


WHAT_ONE_FORGETS = {
    "to release": (
        "## Setup\n",
        "## Set up\n",
        "test_text.py::test_the_release_is_what_the_source_generates",
        "run `make release` and commit release/",
    ),
    "the whole": (
        '"on both sides of 0", points=1',
        '"on both sides of 0", points=2',
        "test_contract.py::test_points_of_the_parts_sum_to_the_points_of_the_cell",
        "test_relu_activation",
    ),
    "the heading": (
        "#### ReLU (3 points)",
        "#### ReLU (4 points)",
        "test_contract.py::test_points_in_headings_are_those_of_the_cells_below",
        "#### ReLU (4 points)",
    ),
    "the table": (
        "| 19 | 90 min |",
        "| 20 | 90 min |",
        "test_contract.py::test_the_table_at_the_top_agrees_with_the_headings_and_the_total",
        "assert '19' == '20'",
    ),
}


@pytest.mark.parametrize("what", WHAT_ONE_FORGETS)
def test_a_forgotten_step_fails_the_test_that_the_page_names(pristine, what):
    old, new, test, said = WHAT_ONE_FORGETS[what]
    page = (pristine.folder / "docs" / "changing-a-homework.md").read_text(encoding="utf-8")
    assert f"`{test.partition('::')[2]}`" in page
    edit(pristine, old, new)
    done = pristine.run(f"python -m pytest -q -p no:cacheprovider tests/notebook/{test}")
    assert done.returncode == 1
    assert said in done.stdout


def test_releasing_compares_the_points_and_says_where_they_differ(tmp_path):
    copy = Copy(tmp_path / "course", "hw0")
    edit(copy, "## Q0.1 A column (1 point)", "## Q0.1 A column (2 points)")
    warned = copy.run("python -m hw_grading release hw0")
    assert warned.returncode == 1
    assert re.search(r"^warning: .*Q0\.1 A column", warned.stdout, re.M)
    notebook = copy.notebook("source")
    cell_of(notebook, "test_as_column").metadata.nbgrader["points"] = 2
    nbformat.write(notebook, copy.folder / "source" / "hw0" / "hw0.ipynb")
    refused = copy.run("python -m hw_grading release hw0")
    assert refused.returncode == 2
    assert "homework.toml" in refused.stdout
    assert re.search(r"\b10\b.*\b11\b|\b11\b.*\b10\b", refused.stdout)


def test_changed_points_of_one_cell_break_nothing_else_in_hw2(pristine):
    """As the page says for hw0: a test cell, its heading and the table; then release."""
    edit(pristine, 'Checks("relu_activation", points=3)', 'Checks("relu_activation", points=4)')
    edit(pristine, '"on both sides of 0", points=1', '"on both sides of 0", points=2')
    edit(pristine, "#### ReLU (3 points)", "#### ReLU (4 points)")
    edit(pristine, "### 1.2b Building blocks (19 points)", "### 1.2b Building blocks (20 points)")
    edit(pristine, "## Q1.2 Implementation (55 points)", "## Q1.2 Implementation (56 points)")
    edit(pristine, "| 19 | 90 min |", "| 20 | 90 min |")
    edit(pristine, "- **Points:** 100", "- **Points:** 101")
    notebook = pristine.notebook("source")
    cell_of(notebook, "test_relu_activation").metadata.nbgrader["points"] = 4
    nbformat.write(notebook, pristine.folder / "source" / "hw2" / "hw2.ipynb")
    manifest = pristine.folder / "staff" / "hw2" / "homework.toml"
    text = manifest.read_text(encoding="utf-8").replace("points = 100", "points = 101")
    manifest.write_text(text.replace("2022-10-04", "2030-10-04"), encoding="utf-8")

    assert pristine.run("python -m hw_grading release").returncode == 0
    [step] = [step for step in steps(CHANGE) if step.where == "tests"]
    assert pristine.run(step.text).returncode == 0
    collected = pristine.run(
        "python -m pytest -q --collect-only tests/grading/test_sample_class.py"
    )
    assert collected.returncode == 0
    lost = pristine.run(
        "python -c 'import nbformat, sys; from pathlib import Path;"
        "from hw_grading.commands.sample import sample_class_of;"
        'released = nbformat.read("release/hw2/hw2.ipynb", 4);'
        'class_ = sample_class_of(Path.cwd(), "hw2")(released);'
        "print({s.student: s.points_lost for s in class_})'"
    )
    assert "'deleted-test-cell': {'test_relu_activation': 3.0}" in lost.stdout


# -- a new function, and a new question


def test_a_new_function_and_a_new_question_are_released_and_graded(added):
    expect_commands(added)
    assert added.total() == 15
    assert added.full()["test_span"] == 3
    expect_one_loss(added, "test_span", 0)


def test_the_new_question_waits_for_a_person_and_the_statistics_say_so(added):
    _, results = read_results(added.copy.folder, "hw0")
    waiting = {s.cell.name: s.cell.max_points for s in results[0].record.scores if s.cell.by_hand}
    assert waiting["span_text"] == 2
    page = (added.copy.folder / "statistics_hw0.html").read_text(encoding="utf-8")
    assert 'id="span_text"' in page
    assert "Total of the tests" in page


def test_the_release_has_no_hidden_parts_of_them_and_the_students_check_knows_them(added):
    release = added.copy.notebook("release")
    text = nbformat.writes(release)
    for word in ("fresh numbers", "hidden=True", "reference", "MARK SCHEME", "one outlier", "ptp"):
        assert word not in "".join(
            cell.source
            for cell in release.cells
            if cell.metadata.get("nbgrader", {}).get("grade_id", "").startswith(("span", "test_sp"))
        )
    assert "raise NotImplementedError()" in cell_of(release, "span").source
    assert "np.max(x) - np.min(x)" not in text
    [checked] = [text for command, text in added.printed.items() if " check " in command]
    assert "span" in checked


def test_the_new_heading_and_the_new_row_have_the_points_of_the_new_cells(added):
    text = "\n".join(c.source for c in added.copy.notebook("release").cells)
    assert "## Q0.1b The span of numbers (5 points)" in text
    assert "| Q0.1b | the span of numbers | 5 | 8 min |\n| Q0.2 | " in text


# -- a new homework


def test_a_new_homework_is_written_released_graded_and_reported_at_once(begun):
    expect_commands(begun)
    assert begun.total() == 10
    expect_one_loss(begun, "test_running_mean", 2)
    report = begun.printed["python -m hw_grading report hw3"]
    assert re.search(r"^wrong .* 2 ", report, re.M)


def test_students_of_the_new_homework_get_feedback_and_the_class_statistics(begun):
    feedback = begun.copy.folder / "feedback" / "wrong" / "hw3" / "hw3.html"
    assert "running mean" in feedback.read_text(encoding="utf-8")
    page = (begun.copy.folder / "statistics_hw3.html").read_text(encoding="utf-8")
    assert 'id="test_running_mean"' in page


def test_the_students_zip_is_written(begun):
    assert (begun.copy.folder / "dist" / "hw3.zip").is_file()


def test_the_release_of_the_new_homework_has_none_of_its_answers(begun):
    text = nbformat.writes(begun.copy.notebook("release"))
    for word in ("BEGIN", "HIDDEN", "hidden=True", "staff", "graders only", "np.cumsum", "{{"):
        assert word not in text


# -- the helpers of this file


def test_the_page_is_read_whole():
    kinds = {heading: [step.kind for step in steps(heading)] for heading in (CHANGE, ADD, BEGIN)}
    assert kinds[CHANGE] == ["diff", "diff", "points", "diff", "diff", "sh", "sh", "sh"]
    assert kinds[ADD].count("cell") == 5
    assert kinds[ADD].count("file") == 3
    assert kinds[BEGIN] == ["sh", "sh", "sh"]


def test_a_diff_is_split_into_removed_and_added_lines():
    assert changes("-a\n+b\n+c\n-d\n+e\n") == [("a", "b\nc"), ("d", "e")]


def test_everything_that_is_copied_exists():
    assert [name for name in COPIED if not (REPOSITORY / name).exists()] == []
