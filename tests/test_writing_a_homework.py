"""docs/writing-a-homework.md is followed step by step, in a copy of the course."""

import re
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell
from terminal import Terminal
from tiny_homeworks import BY_HAND, marked, notebook_of

from hw_grading.commands.sample import cell_of
from hw_grading.homework.course import REPOSITORY

# One copy serves all tests: they have to be in one worker.
pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("writing"), pytest.mark.timeout(1500)]

DOCS = REPOSITORY / "docs"
PAGE = (DOCS / "writing-a-homework.md").read_text(encoding="utf-8")
BLOCK = re.compile(
    r"(?:^`(?P<name>\w+)`, \*(?P<type>[^*\n]+)\*(?:, (?P<points>\d+) points?)?:\n\n)?"
    r"^```(?P<info>[^\n]*)\n(?P<text>.*?)^```$",
    re.M | re.S,
)
# What the panel "Create Assignment" writes for a type.
TYPES = {
    "Autograded answer": {"solution": True},
    "Autograder tests": {"grade": True, "locked": True, "points": 0},
    "Manually graded answer": BY_HAND,
    "Read-only": {"locked": True},
}
HIDDEN = re.compile(r"### BEGIN HIDDEN TESTS\n.*?### END HIDDEN TESTS\n", re.S)


def blocks(heading: str = "", page: str = PAGE) -> list[re.Match[str]]:
    """Return the blocks of a page or of a section; headings inside blocks do not count."""
    section = page.split(f"\n## {heading}\n")[1] if heading else page
    end = re.search(r"^## (?!Q)", section, re.M) if heading else None
    return list(BLOCK.finditer(section[: end.start()] if end else section))


def edit(course: Terminal, block: re.Match[str], homework: str) -> None:
    """Do what a block asks for: a new cell, other hidden lines of a test, or a file."""
    where = block["info"].partition(" ")[2]
    if "/" in where:
        path = course.folder / where
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(block["text"], encoding="utf-8")
        return
    notebook = course.notebook("source", homework)
    if block["name"]:
        new = new_markdown_cell if block["info"] == "markdown" else new_code_cell
        marks = TYPES[block["type"]] | ({"points": int(block["points"] or 0)})
        notebook.cells.append(marked(new(block["text"].strip()), block["name"], **marks))
    else:
        cell = cell_of(notebook, where)
        assert len(HIDDEN.findall(cell.source)) == 1
        cell.source = HIDDEN.sub(block["text"].replace("\\", r"\\"), cell.source)
    nbformat.write(notebook, course.path("source", homework))


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Terminal:
    return Terminal.in_a_copy(tmp_path_factory.mktemp("writing") / "course")


def test_a_homework_is_begun_released_and_graded_in_ten_minutes(copy: Terminal) -> None:
    said = ""
    for block in blocks("In ten minutes"):
        for command in block["text"].splitlines():
            if command.startswith("hw-grading grade"):
                copy.hand_in("hw3", "right")
                copy.hand_in("hw3", "wrong", running_mean="def running_mean(x):\n    return x")
            said = copy.must(command)
    assert copy.lost("hw3", "right") == {}
    assert copy.lost("hw3", "wrong") == {"test_running_mean": 5}
    assert "Input: x = [2., 4., -3., 5.]" in said  # of explain
    assert {path.name for path in (copy.folder / "staff").iterdir()} == {"hw0", "hw2"}
    assert (copy.folder / "dist" / "hw3.zip").is_file()


# A wrong answer to each question of the page, and the points that it loses.
WRONG = {
    "mean_and_spread": (
        "def mean_and_spread(x):\n    return np.mean(x), np.std(x, ddof=1) if len(x) > 1 else 0.0",
        {"test_mean_and_spread": 1},
    ),
    "mean_and_spread_far": (
        "def mean_and_spread(x):\n    mean = np.mean(x)\n"
        "    return mean, np.sqrt(np.abs(np.mean(x**2) - mean**2))",
        {"test_mean_and_spread": 1},
    ),
    "noise": (
        "def noise(n):\n    return np.random.default_rng().normal(0, 3, n)",
        {"test_noise": 2},
    ),
    "resampled_means": (  # of all of x, instead of samples
        "def resampled_means(x, n):\n    return np.full(n, np.mean(x))",
        {"test_resampled_means": 2},
    ),
    "of_samples": ("sample_mean, sample_spread = 1.0, 2.0", {"test_of_samples": 1}),
    "power_sum": (  # the visible cases, looked up
        "def power_sum(x, degree):\n    return 5.0 if degree == 2 else 1.0",
        {"test_power_sum": 2},
    ),
}
SHORT = {  # right for the lengths that visible cases have
    "mean_and_spread": "def mean_and_spread(x):\n    return (np.mean(x[:2]), np.std(x[:2]))",
    "power_sum": "def power_sum(x, degree):\n    return np.sum(x[:2] ** degree)",
}
LISTS = "def noise(n):\n    return list(np.random.default_rng().normal(0, 2, n))"


@pytest.fixture(scope="module")
def kinds(copy: Terminal) -> Terminal:
    """The copy with a homework that has every question of the page; it is released and graded."""
    copy.must("hw-grading new hw5")
    for block in blocks():
        if block["name"]:
            edit(copy, block, "hw5")
    copy.must("hw-grading release hw5")
    copy.hand_in("hw5", "right")
    copy.hand_in("hw5", "short", **SHORT)
    copy.hand_in("hw5", "lists", noise=LISTS)
    for name, (answer, _) in WRONG.items():
        copy.hand_in("hw5", f"wrong_{name}", **{name.removesuffix("_far"): answer})
    copy.must("nbgrader autograde hw5")
    return copy


def test_every_kind_of_question_finds_its_wrong_answer(kinds: Terminal) -> None:
    assert {name: kinds.lost("hw5", f"wrong_{name}") for name in WRONG} == {
        name: lost for name, (_, lost) in WRONG.items()
    }
    assert kinds.lost("hw5", "lists") == {"test_types": 1}  # a value is as good, a type is not
    assert (kinds.lost("hw5", "right"), kinds.lost("hw5", "short")) == ({}, {})


def test_the_release_states_the_points_and_hides_what_is_hidden(kinds: Terminal) -> None:
    released = kinds.notebook("release", "hw5")
    assert "## Q6 A histogram (2 points)" in cell_of(released, "histogram_question").source
    assert cell_of(released, "test_mean_and_spread").metadata.nbgrader.points == 5
    text = nbformat.writes(released)
    for word in ("HIDDEN", "checks.fresh", "SOLUTION", "np.sum(x**degree)", "of a width that fits"):
        assert word not in text


def test_inputs_that_the_test_draws_have_other_lengths(kinds: Terminal) -> None:
    [block] = [one for one in blocks("Fresh cases") if one["info"] == "python test_power_sum"]
    edit(kinds, block, "hw5")
    kinds.must("hw-grading release hw5")
    kinds.must("nbgrader autograde hw5 --force --student=short")
    assert kinds.lost("hw5", "short")["test_power_sum"] == 2


def test_files_of_the_staff_replace_what_the_notebook_says(kinds: Terminal) -> None:
    front = kinds.notebook("source", "hw5")
    front.cells[0].source += "\n\n- **Due:** {{ due_date }}"
    nbformat.write(front, kinds.path("source", "hw5"))
    for block in blocks("Files that you may add"):
        block = re.compile(BLOCK).search(block[0].replace("staff/hw3", "staff/hw5"))
        edit(kinds, block, "hw5")
    kinds.must("hw-grading release hw5")
    due = kinds.notebook("release", "hw5").cells[0].source.splitlines()[-1]
    assert due == "- **Due:** Tuesday, 15 January 2030, 11:59 pm"
    kinds.must("nbgrader autograde hw5 --force --student=short")
    assert kinds.lost("hw5", "short")["test_mean_and_spread"] >= 3
    assert kinds.lost("hw5", "right") == {}


def test_a_released_homework_is_changed(kinds: Terminal) -> None:
    notebook = kinds.notebook("source", "hw5")
    test = cell_of(notebook, "test_power_sum")
    assert test.source.count("([3.0], 0, 1.0)") == 1
    more = "([3.0], 0, 1.0), ([1.0, 1.0, 1.0], 1, 3.0)"
    test.source = test.source.replace("([3.0], 0, 1.0)", more)
    nbformat.write(notebook, kinds.path("source", "hw5"))
    for block in blocks("Change a released homework"):
        for command in block["text"].splitlines():
            said = kinds.must(command.replace("hw3", "hw5"))
    assert "short" in said
    assert kinds.lost("hw5", "short")["test_power_sum"] == 2


# -- docs/your-own-course.md


def test_a_plain_test_of_another_course_becomes_checks(tmp_path: Path) -> None:
    """The page's cells, before and after, in a folder with the settings of the page."""
    page = (DOCS / "your-own-course.md").read_text(encoding="utf-8")
    settings = next(one["text"] for one in blocks("", page) if "get_config" in one["text"])
    before, after = blocks("What `Checks` adds, a cell at a time", page)
    (tmp_path / "nbgrader_config.py").write_text(settings, encoding="utf-8")
    answer = "def mean(numbers):\n    ### BEGIN SOLUTION\n    return sum(numbers) / len(numbers)\n"
    wrong = "def mean(numbers):\n    return sum(numbers) // len(numbers)"
    folder = tmp_path / "source" / "ps1"
    folder.mkdir(parents=True)
    course = Terminal(tmp_path)
    for block, lost in ((before, 0), (after, 3)):
        test = new_code_cell(block["text"].strip())
        cells = [
            marked(new_code_cell(f"{answer}    ### END SOLUTION"), "mean", solution=True),
            marked(test, "test_mean", grade=True, locked=True, points=3),
        ]
        nbformat.write(notebook_of(cells), folder / "ps1.ipynb")
        course.must("hw-grading release ps1")
        course.hand_in("ps1", "right")
        course.hand_in("ps1", "wrong", mean=wrong)
        course.must("nbgrader autograde ps1 --force")
        assert course.lost("ps1", "right") == {}
        assert sum(course.lost("ps1", "wrong").values()) == lost
