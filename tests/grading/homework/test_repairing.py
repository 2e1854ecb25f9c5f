"""`repair` restores the instructor's cells, whatever a student did to them."""

import copy
from collections.abc import Callable
from typing import Any

import nbformat
import pytest
from hypothesis import given
from hypothesis import strategies as st
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook
from nbgrader.utils import compute_checksum

from hw_grading.commands.sample import cell_of
from hw_grading.notebooks import cells_by_id
from hw_support.submission.cells import InstructorCell, continues
from hw_support.submission.problems import Kind, Problem, Severity
from hw_support.submission.repairing import repair


def instructor(grade_id: str, source: str, cell_type: str = "code", **marks: Any) -> InstructorCell:
    points, is_answer = marks.setdefault("points", None), marks.setdefault("solution", False)
    is_task = marks.setdefault("task", False)
    marks |= {"locked": not is_answer, "grade": points is not None and not is_task}
    return InstructorCell(grade_id, cell_type, source, checksum="0" * 32, **marks)


INTRO = instructor("intro", "# Toys", cell_type="markdown")
F = instructor("f", "def f(): ...", solution=True)
TEST_F = instructor("test_f", "f()\n# hidden", points=2, released="f()")
G = instructor("g", "def g(): ...", solution=True)
TEST_G = instructor("test_g", "g()", points=1)
TEST_G_MORE = instructor("test_g_more", "g() + g()", points=1)
WHY = instructor("why", "YOUR ANSWER HERE", cell_type="markdown", points=3, solution=True)
DRAW = instructor("draw", "Draw.", cell_type="markdown", points=4, task=True)
ALL = [INTRO, F, TEST_F, G, TEST_G, TEST_G_MORE, WHY, DRAW]


def cell(of: InstructorCell, source: str | None = None) -> NotebookNode:
    make = new_code_cell if of.cell_type == "code" else new_markdown_cell
    node = make(source if source is not None else of.released or of.source)
    node.metadata = NotebookNode(nbgrader=of.metadata())
    return node


def submission() -> NotebookNode:
    """All cells in order, all answered."""
    answers = {"f": "def f(): return 1", "g": "def g(): return 2", "why": "So."}
    return new_notebook(cells=[cell(c, answers.get(c.grade_id)) for c in ALL])


def order(nb: NotebookNode) -> list[str]:
    """Grade ids, or the first line of the source of plain cells."""
    return [
        c.metadata.nbgrader.grade_id if "nbgrader" in c.metadata else c.source.split("\n")[0]
        for c in nb.cells
    ]


def test_locked_cells_without_grade_ids_are_known_by_their_text() -> None:
    nb = submission()
    for each in nb.cells:
        each.metadata = NotebookNode(kept_by="another program")
    problems = repair(nb, ALL)
    tests = ["test_f", "test_g", "test_g_more"]
    assert [o for o in order(nb) if o not in ("f", "why")] == [
        "intro", "def f(): return 1", "test_f", "def g(): return 2", *tests[1:], "So.", "draw"
    ]  # fmt: skip
    known = [p.cell for p in problems if "recognised by its text" in p.message]
    assert known == ["intro", *tests, "draw"]
    assert next(c for c in nb.cells if c.source == TEST_F.source)  # with its hidden line
    again = copy.deepcopy(nb)
    assert all(p.kind is Kind.DELETED_CELL for p in repair(nb, ALL))
    assert nb == again


def test_a_copy_of_a_test_that_is_still_there_stays_a_plain_cell() -> None:
    nb = submission()
    nb.cells.insert(0, new_code_cell("f()"))
    assert repair(nb, ALL) == []
    assert order(nb)[:2] == ["f()", "intro"]


def test_an_empty_cell_is_not_known_as_a_hidden_test() -> None:
    hidden = instructor("test_g", "assert g() == 2", points=1, released="")
    known = [hidden if each is TEST_G else each for each in ALL]
    nb = submission()
    nb.cells.remove(cell_of(nb, "test_g"))
    nb.cells.insert(0, new_code_cell(""))
    assert [problem.kind for problem in repair(nb, known)] == [Kind.DELETED_CELL]
    assert order(nb).index("test_g") == order(nb).index("g") + 1
    assert order(nb)[:2] == ["", "intro"]


def repaired(nb: NotebookNode, plain: list[str] | None = None) -> list[Problem]:
    """Repair a notebook, and check what must hold for every repaired notebook.

    `plain` are the sources of its plain cells as released, if they are known.
    """
    problems = repair(nb, ALL, plain)
    nbformat.validate(nb)
    once = copy.deepcopy(nb)
    again = repair(nb, ALL, plain)
    assert nb == once
    assert {p.kind for p in again} <= {Kind.DELETED_CELL}
    places = {name: i for i, name in enumerate(order(nb))}
    for c in ALL:
        if c.solution and not c.grade and c.grade_id not in places:
            continue
        node = nb.cells[places[c.grade_id]]
        assert order(nb).count(c.grade_id) == 1
        assert node.cell_type == c.cell_type
        assert node.metadata == {"nbgrader": c.metadata()}
        if c.locked:
            assert node.source == c.source
    there = [c.grade_id for c in ALL if c.grade_id in places]
    assert sorted(there, key=lambda name: places[name]) == there
    assert all(p.severity is Severity.REPAIRED for p in problems)
    return problems


def kinds(problems: list[Problem]) -> list[tuple[str, str | None]]:
    return [(p.kind.value, p.cell) for p in problems]


def copy_of_the_test(nb: NotebookNode) -> None:
    nb.cells.append(cell(TEST_F, "scratch = f()"))


def own_marks(nb: NotebookNode) -> None:
    marks = {"grade_id": "mine", "grade": True, "points": 99}
    nb.cells.insert(0, new_code_cell("mine = 1", metadata={"nbgrader": marks}))


def tools_marks(nb: NotebookNode) -> None:
    marks = {"grade_id": "cell-1", "grade": False, "locked": False}
    nb.cells.append(new_code_cell("x", metadata={"nbgrader": marks}))


def edited(grade_id: str, text: str) -> Callable[[NotebookNode], None]:
    return lambda nb: cell_of(nb, grade_id).update(source=text)


def points(nb: NotebookNode) -> None:
    cell_of(nb, "test_f").metadata.nbgrader.update(points=200, schema_version=9, extra="x")
    cell_of(nb, "f").metadata.nbgrader.update(grade=True, points=50)


def collapsed(nb: NotebookNode) -> None:
    for each in nb.cells:
        each.metadata["jupyter"] = {"source_hidden": True, "outputs_hidden": False}


def retyped(nb: NotebookNode) -> None:
    for grade_id, cell_type in (("test_f", "markdown"), ("f", "raw"), ("why", "code")):
        node = cell_of(nb, grade_id)
        node.cell_type = cell_type
        if cell_type == "code":
            node.update(outputs=[], execution_count=None)
        else:
            del node["outputs"], node["execution_count"]


@pytest.mark.parametrize(
    ("damage", "found"),
    [
        (collapsed, []),
        (points, []),  # restored
        (tools_marks, []),
        (own_marks, [("unknown-cell", None)]),
        (edited("test_f", "f()  \r\n"), []),
        (edited("test_f", "pass"), [("edited-cell", "test_f")]),
        (copy_of_the_test, [("duplicate-cell", "test_f")]),
        (retyped, [("retyped-cell", name) for name in ("f", "test_f", "why")]),
    ],
)
def test_what_a_student_or_a_program_did_is_undone_and_named(
    damage: Callable[[NotebookNode], None], found: list[tuple[str, str | None]]
) -> None:
    nb = submission()
    damage(nb)
    assert kinds(repaired(nb)) == found
    assert cell_of(nb, "test_f").source == "f()\n# hidden"
    assert cell_of(nb, "f").source == "def f(): return 1"
    assert cell_of(nb, "why").source == "So."
    assert all("nbgrader" not in c.metadata for c in nb.cells if c.source in ("mine = 1", "x"))


def test_an_answer_typed_into_the_locked_question_is_graded() -> None:
    nb = submission()
    question = instructor("question", "Why?\n\n- In general.", cell_type="markdown")
    known = [*ALL[:6], question, *ALL[6:]]
    cell_of(nb, "why").source = WHY.source
    nb.cells.insert(6, cell(question, "Why?\n\n- In general.\n\nBecause.\n\nSo."))
    first, second = repair(nb, known, [])
    assert first.message.endswith("the new lines were moved to a cell below.")
    assert kinds([first, second]) == [("edited-cell", "question"), ("added-cell", "why")]
    assert order(nb)[-3:] == ["question", "why", "draw"]
    assert cell_of(nb, "question").source == question.source
    assert cell_of(nb, "why").source == "Because.\n\nSo."
    assert repair(nb, known, []) == []


def test_a_text_below_the_instructions_continues_the_task() -> None:
    nb = submission()
    cell_of(nb, "draw").source += "\n\nDrawn."
    assert found(nb, []) == [("edited-cell", "draw")]
    assert cell_of(nb, "draw").source == DRAW.source
    assert cells_by_id(nb)["draw"]["source"] == "Draw.\n\nDrawn."


def test_a_cell_of_an_earlier_release_is_not_an_edit() -> None:
    nb = submission()
    old = cell_of(nb, "test_f")
    old.source = "the test before it was corrected"
    old.metadata.nbgrader["checksum"] = compute_checksum(old)
    [problem] = repaired(nb)
    assert "is from an earlier release" in problem.message
    assert old.source == TEST_F.source


def test_the_last_answered_copy_is_graded_and_all_copies_run() -> None:
    nb = submission()
    nb.cells[1:1] = [cell(F, "def f(): return 0")]
    nb.cells.append(cell(F))  # an untouched copy below
    assert kinds(repaired(nb)) == [("duplicate-cell", "f")]
    assert cell_of(nb, "f").source == "def f(): return 1"
    assert order(nb).count("def f(): return 0") == 1
    assert order(nb)[-1] == "def f(): ..."


def test_deleted_cells_come_back_at_their_place() -> None:
    nb = submission()
    nb.cells = [cell_of(nb, name) for name in ("f", "g", "test_g")]
    problems = repaired(nb)
    assert order(nb) == [c.grade_id for c in ALL]
    assert {p.kind for p in problems} == {Kind.DELETED_CELL}
    assert cell_of(nb, "why").source == WHY.source  # so that nbgrader finds no response


def test_a_deleted_code_answer_is_not_restored() -> None:
    nb = submission()
    nb.cells.remove(cell_of(nb, "f"))
    nb.cells.insert(0, new_code_cell("def f(): return 'moved'"))
    assert kinds(repaired(nb)) == [("deleted-cell", "f")]
    assert order(nb)[:3] == ["def f(): return 'moved'", "intro", "test_f"]


@pytest.mark.parametrize("moved", [c.grade_id for c in ALL if c not in (F, G)])
@pytest.mark.parametrize("to", [0, 4, 99])
def test_one_cell_that_was_moved_is_put_back_and_no_other(moved: str, to: int) -> None:
    nb = submission()
    place = order(nb).index(moved)
    nb.cells.insert(to, nb.cells.pop(place))
    if place == min(to, len(nb.cells) - 1):
        assert repaired(nb) == []
    else:
        assert len(repaired(nb)) == 1
    assert order(nb) == [c.grade_id for c in ALL]


def plain(source: str) -> NotebookNode:
    return new_code_cell(f"{source} = 1")


def moved_test(nb: NotebookNode) -> None:
    nb.cells.insert(1, plain("helper"))
    nb.cells.insert(1, nb.cells.pop(order(nb).index("test_f")))


def moved_answer(nb: NotebookNode) -> None:
    nb.cells.insert(5, plain("helper"))
    nb.cells.insert(5, nb.cells.pop(order(nb).index("g")))


def moved_section(nb: NotebookNode) -> None:
    section = [plain("helper"), plain("more"), nb.cells.pop(1), nb.cells.pop(1)]  # f and its test
    nb.cells[3:3] = section  # below g and its test


def moved_below(nb: NotebookNode) -> None:
    nb.cells.insert(3, plain("helper"))
    nb.cells.append(nb.cells.pop(order(nb).index("test_f")))


@pytest.mark.parametrize(
    ("move", "begins"),
    [
        # A test goes to its answer, and not the answer to it
        (moved_test, ["intro", "helper = 1", "f", "test_f"]),
        # It follows an answer that was moved below a cell that it needs
        (moved_answer, ["intro", "f", "test_f", "helper = 1", "g", "test_g"]),
        # An answer takes along the plain cells above it
        (moved_section, ["intro", "helper = 1", "more = 1", "f", "test_f"]),
        # Plain cells stay between the cells that stay
        (moved_below, ["intro", "f", "test_f", "helper = 1", "g"]),
    ],
)
def test_moved_cells_take_along_what_belongs_to_them(
    move: Callable[[NotebookNode], None], begins: list[str]
) -> None:
    nb = submission()
    move(nb)
    repaired(nb)
    assert order(nb)[: len(begins)] == begins


PLAIN = ["## Why\n\nSay why.", "## Draw"]  # around the cell "why"


def with_plain_cells(*own: str, why: str | None = None) -> NotebookNode:
    """A submission with the released plain cells, and own text cells below the answer."""
    nb = submission()
    at = order(nb).index("why")
    own_cells = [new_markdown_cell(source) for source in own]
    answer = [cell(WHY, why)] if why is not None else []
    before, after = map(new_markdown_cell, PLAIN)
    nb.cells[at : at + 1] = [before, *answer, *own_cells, after]
    return nb


def found(nb: NotebookNode, plain: list[str] | None = PLAIN) -> list[tuple[str, str | None]]:
    return kinds(repaired(nb, plain))


@pytest.mark.parametrize(
    ("why", "above"), [(None, False), ("", False), (WHY.source, False), ("", True)]
)
def test_added_cells_are_the_answer_if_there_is_no_other(why: str | None, above: bool) -> None:
    nb = with_plain_cells("Because.", "And so.", why=why)
    if above:
        place = order(nb).index("why")
        nb.cells.insert(place + 2, nb.cells.pop(place))
    assert found(nb) == [("added-cell", "why")]
    assert order(nb)[-5:] == ["## Why", "why", "And so.", "## Draw", "draw"]
    assert cell_of(nb, "why").source == "Because."
    assert cells_by_id(nb)["why"]["source"] == "Because.\n\nAnd so."


@pytest.mark.parametrize("plain", [PLAIN, ["## Why\nan older text", "## Draw"], None])
def test_without_an_added_cell_no_released_cell_is_the_answer(plain: list[str] | None) -> None:
    nb = with_plain_cells(why="")
    assert found(nb, plain) == []
    nb = with_plain_cells()
    assert found(nb, plain) == [("deleted-cell", "why")]
    assert cell_of(nb, "why").source == WHY.source


def test_photos_of_one_name_in_several_cells_are_all_kept() -> None:
    nb = with_plain_cells("![2](attachment:image.png)", why="![1](attachment:image.png)")
    for number, cell in enumerate((cell_of(nb, "why"), nb.cells[order(nb).index("why") + 1])):
        cell["attachments"] = {"image.png": {"image/png": f"AAA{number}"}}
    found(nb)
    answer = cells_by_id(nb)["why"]
    assert answer["source"] == "![1](attachment:image.png)\n\n![2](attachment:1-image.png)"
    bundles = answer["attachments"]
    assert bundles["image.png"] == {"image/png": "AAA0"}
    assert bundles["1-image.png"] == {"image/png": "AAA1"}


def test_only_an_added_cell_of_its_type_is_an_answer() -> None:
    nb = with_plain_cells(why="")
    nb.cells.insert(order(nb).index("why") + 1, new_code_cell("1 + 1"))
    assert found(nb) == []
    assert not any(map(continues, nb.cells))


def test_added_cells_continue_an_answer_to_the_next_cell() -> None:
    nb = with_plain_cells("And so.", "", "So too.", why="So.")
    nb.cells.insert(order(nb).index("And so."), new_code_cell("1 + 1"))
    nb.cells.insert(-1, new_markdown_cell("A note."))
    assert found(nb) == []
    assert [c.source for c in nb.cells if continues(c)] == ["And so.", "So too."]
    assert cells_by_id(nb)["why"]["source"] == "So.\n\nAnd so.\n\nSo too."
    assert cell_of(nb, "why").source == "So."


PIECES = st.sampled_from(
    [
        *[cell(c) for c in ALL],
        *[cell(c, "changed = 1") for c in ALL],
        new_code_cell("plain = 1"),
        new_markdown_cell("plain"),
        new_markdown_cell("## A heading"),
        new_markdown_cell(""),
    ]
)


@given(st.lists(PIECES, max_size=16))
def test_repairing_any_cells_twice_changes_nothing_more(pieces: list[NotebookNode]) -> None:
    pieces = [copy.deepcopy(piece) for piece in pieces]
    for i, node in enumerate(pieces):
        node.id = f"c{i}"
    nb = new_notebook(cells=pieces)
    sources = {c.source for c in nb.cells if "nbgrader" not in c.metadata}
    again = copy.deepcopy(nb)
    repaired(nb)
    assert sources <= {c.source for c in nb.cells}
    found(again, ["## A heading"])
    assert sources <= {c.source for c in again.cells}
    assert {name for c in again.cells if (name := continues(c))} <= {"why", "draw"}
