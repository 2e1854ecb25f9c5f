"""Problems are stored in a notebook, and shown as plain text, not as a student's markup."""

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from hw_grading.homework.notes import (
    MAX_STORED,
    NOTES_HEADING,
    add_problems,
    put_notes_on_top,
    read_problems,
)
from hw_support.submission.problems import Kind, Problem, Severity, quoted

DIED = Problem(Kind.KERNEL, Severity.FAILED, "It died.", "forward_pass")
EDITED = Problem(Kind.EDITED_CELL, Severity.MENDED, "It was edited.")


def test_problems_of_several_stages_are_stored_once_in_order() -> None:
    nb = new_notebook()
    nb.metadata["hw_grading"] = {"finished": True}
    add_problems(nb, [EDITED])
    add_problems(nb, [DIED, EDITED])
    nb = nbformat.reads(nbformat.writes(nb), as_version=4)
    assert read_problems(nb) == [EDITED, DIED]
    assert nb.metadata.hw_grading.finished is True


def test_failures_are_kept_of_too_many_problems() -> None:
    nb = new_notebook()
    mended = [Problem(Kind.MOVED_CELL, Severity.MENDED, str(n)) for n in range(MAX_STORED)]
    add_problems(nb, [*mended, DIED])
    assert len(read_problems(nb)) == MAX_STORED
    assert DIED in read_problems(nb)


@pytest.mark.parametrize(
    "stored",
    [
        "x",
        {"problems": "x"},
        {"problems": [None, {}, {"kind": "kernel"}, {"kind": ["kernel"], "message": "m"}]},
        {"problems": [{"kind": "no-such", "severity": "failed", "message": "m", "cell": None}]},
    ],
)
def test_malformed_problems_are_skipped(stored: object) -> None:
    nb = new_notebook()
    nb.metadata["hw_grading"] = stored
    assert read_problems(nb) == []
    add_problems(nb, [DIED])
    assert read_problems(nb) == [DIED]


def test_notes_on_top_replace_cells_with_their_heading() -> None:
    looks_alike = (
        "###  Notes from the grader\n\nFull marks.",
        "Mine.\n\n**NOTES from the grader:**",
    )
    others = (
        "In the notes from the grader I read that the sum is wrong.",
        "### What I learned from the notes from the grader",
        "#" * 100_000,
        "\n" * 100_000,
    )
    answer = new_markdown_cell(looks_alike[0], metadata={"nbgrader": {"grade_id": "a"}})
    nb = new_notebook(
        cells=[
            new_code_cell("x", id="notes-from-the-grader"),
            *map(new_markdown_cell, looks_alike),
            answer,
            *map(new_markdown_cell, others),
        ]
    )
    for problem in (DIED, EDITED):
        add_problems(nb, [problem])
        put_notes_on_top(nb)
    nbformat.validate(nb)
    notes, *rest = nb.cells
    assert "<li>It died.</li>\n<li>It was edited.</li>" in notes.source
    assert [cell.source for cell in rest] == ["x", answer.source, *others]


def test_without_problems_there_are_no_notes() -> None:
    nb = new_notebook(cells=[new_markdown_cell(NOTES_HEADING)])
    put_notes_on_top(nb)
    assert nb.cells == []


def test_messages_are_inert() -> None:
    nb = new_notebook()
    message = "<script>a</script> \n\n # h $\\href{javascript:a}{b}$ \ud800 </ul>"
    add_problems(nb, [Problem(Kind.METADATA, Severity.MENDED, message)])
    put_notes_on_top(nb)
    source = nb.cells[0].source
    assert source.encode()
    assert "<script" not in source
    assert "$" not in source
    assert "\\" not in source
    assert source.count("\n\n") == 1  # a blank line would end the block of HTML


def test_quoted_texts_are_one_short_printable_line() -> None:
    assert quoted("a\n\tb") == "'a b'"
    assert quoted("a\x1b[31mb\u202e") == "'a\ufffd[31mb\ufffd'"
    assert len(quoted("x" * 10**6)) == 62
