"""A release that would show students what is hidden, or a test that cannot run, is refused."""

import itertools
import re

import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell
from nbgrader.preprocessors import ClearHiddenTests, ClearMarkScheme
from tiny_homeworks import manifest_of, source_of, write_course

from hw_grading.commands.release import check_source
from hw_grading.commands.sample import cell_of
from hw_grading.homework.notebook import as_released
from hw_grading.homework.source_notebook import mistakes

TEST = "test_half"
WRONG = {
    "a delimiter in lower case": (
        TEST, "### BEGIN HIDDEN", "### begin hidden", "the line '### begin hidden TESTS' removes"),
    "another word": (
        "certification", "### BEGIN SOLUTION", "<!-- BEGIN MARKING SCHEME -->",
        "the line '<!-- BEGIN MARKING SCHEME -->' removes nothing"),
    "no end": (TEST, "### END HIDDEN TESTS\n", "", "BEGIN HIDDEN TESTS has no END HIDDEN TESTS"),
    "no beginning": (
        TEST, "### BEGIN HIDDEN TESTS\n", "", "END HIDDEN TESTS is not allowed here: each BEGIN"),
    "two beginnings": (
        TEST, "### END HIDDEN", "### BEGIN HIDDEN", "BEGIN HIDDEN TESTS is not allowed here"),
    "a hidden check of the names that a cell binds": (
        TEST, "### END", "assert half\n### END", "the hidden line 'assert half' is not allowed"),
    "staff code in a visible part": (
        TEST, "checks = ", "from staff.ps1 import reference\nchecks = ",
        "students would read 'from staff'"),
    "an open bracket": (TEST, "half(1.0)", "half(1.0", "it is not valid Python ('(' was never"),
    "a solution in a test": (
        TEST, "checks = ", "### BEGIN SOLUTION\nx = 1\n### END SOLUTION\nchecks = ",
        "it has a solution, but its type is not"),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
def test_a_cell_of_which_students_would_get_too_much_is_named(name):
    grade_id, old, new, said = WRONG[name]
    notebook = source_of("ps1")
    cell = cell_of(notebook, grade_id)
    assert old in cell.source
    cell.source = cell.source.replace(old, new, 1)
    [sentence] = mistakes(notebook)
    assert re.sub(r", line \d+", "", sentence).startswith(f"cell {grade_id}: {said}")


def test_hidden_tests_in_a_cell_without_a_type_are_named():
    notebook = source_of("ps1")
    notebook.cells.insert(2, new_code_cell("### BEGIN HIDDEN TESTS\nx = 1\n### END HIDDEN TESTS"))
    [sentence] = mistakes(notebook)
    assert sentence.startswith("cell 3 from the top: it has hidden tests, but its type is not")


@pytest.mark.parametrize(
    ("text", "is_named"),
    [
        ("Plot: ![x](attachment:x%20y.png)", False),
        ("### BEGIN SOLUTION\n![x](attachment:x%20y.png)\n### END SOLUTION", True),
        ("### BEGIN SOLUTION\n<img src='attachment:x%20y.png'>\n### END SOLUTION\nbelow", True),
        ("### BEGIN MARK SCHEME\n![x][y]\n\n[y]: attachment:x%20y.png\n### END MARK SCHEME", True),
    ],
)
@pytest.mark.parametrize("is_answer", [False, True])
def test_a_picture_of_a_removed_text_is_named(text, is_named, is_answer):
    notebook = source_of("ps1")
    cell = new_markdown_cell(text, attachments={"x y.png": {"image/png": "QUJD"}})
    if is_answer or "SOLUTION" in text:
        marks = {"grade": True, "solution": True, "locked": False, "task": False, "points": 1}
        cell.metadata["nbgrader"] = {"schema_version": 3, "grade_id": "sketch", **marks}
    notebook.cells.append(cell)
    found = [sentence for sentence in mistakes(notebook) if "'x y.png'" in sentence]
    assert bool(found) == (is_named or is_answer)


def test_a_test_without_parts_may_hide_what_it_likes():
    notebook = source_of("ps1")
    hidden = "assert half(1.0)\n### BEGIN HIDDEN TESTS\nassert half(2.0)\n### END HIDDEN TESTS"
    cell_of(notebook, TEST).source = hidden
    assert list(mistakes(notebook)) == []
    without = "if half(1.0):\n### BEGIN HIDDEN TESTS\n    pass\n### END HIDDEN TESTS"
    cell_of(notebook, TEST).source = without
    [sentence] = mistakes(notebook)
    assert "it is not valid Python, without its hidden tests" in sentence


def test_cells_that_only_the_manifest_has_are_named(tmp_path):
    course = write_course(tmp_path / "course")
    file = course.folder / "staff/ps1/homework.toml"
    more = '[limits.halv]\ncpu_seconds = 9\n[shown_beside.certification]\nanswers = ["hlf"]\n'
    file.write_text(manifest_of("ps1").replace('= "certification"', '= "name"') + more, "utf-8")
    assert check_source(course, "ps1") == [
        f"{file}: it names the cell {grade_id!r}, but no cell of the notebook has this id."
        for grade_id in ("halv", "hlf", "name")
    ]


def test_a_generator_that_draws_for_no_test_is_named(tmp_path):
    course = write_course(tmp_path / "course")
    file = course.folder / "staff/ps1/fresh.py"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(
        "def half(draw): ...\ndef halv(draw): ...\ndef _own(draw): ...\ndef some(draw, n): ...\n",
        "utf-8",
    )
    assert check_source(course, "ps1") == [
        f"{file}: halv draws for no Checks: expected a name that a test's Checks has (double, "
        "half, negative). Rename the function. If it only helps others, begin its name with '_'."
    ]


def nbgraders(source: str) -> str | None:
    """What nbgrader's preprocessors leave of a cell; None if they refuse it."""
    cell = new_code_cell(source)
    try:
        ClearHiddenTests(enforce_metadata=False).preprocess_cell(cell, {}, 0)
        ClearMarkScheme(enforce_metadata=False).preprocess_cell(cell, {}, 0)
    except RuntimeError:
        return None
    return cell.source


LINES = [
    f"### {end} {what}" for what in ("HIDDEN TESTS", "MARK SCHEME") for end in ("BEGIN", "END")
]


@pytest.mark.parametrize("number", range(4))
def test_students_get_of_a_cell_what_nbgrader_leaves(number):
    for lines in itertools.product(["x", *LINES], repeat=number):
        source = "\n".join([*lines, "y\r", ""])
        if (expected := nbgraders(source)) is None:
            with pytest.raises(RuntimeError, match=r"is inside another one|has no END"):
                as_released(source)
        else:
            assert as_released(source) == expected
