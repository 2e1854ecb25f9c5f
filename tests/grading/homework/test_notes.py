"""Problems are shown at the top of a notebook as plain text, not as a student's markup."""

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from hw_grading.homework.notes import (
    MAX_STORED,
    NOTES_HEADING,
    limited,
    problems_in,
    put_notes_on_top,
)
from hw_support.submission.problems import Kind, Problem, Severity, quoted

DIED = Problem(Kind.KERNEL, Severity.FAILED, "It died.", "forward_pass")
EDITED = Problem(Kind.EDITED_CELL, Severity.REPAIRED, "It was edited.")


def test_each_problem_is_kept_once_and_failures_of_too_many() -> None:
    assert limited([EDITED, DIED, EDITED]) == (EDITED, DIED)
    repaired = [Problem(Kind.MOVED_CELL, Severity.REPAIRED, str(n)) for n in range(MAX_STORED)]
    kept = limited([*repaired, DIED])
    assert len(kept) == MAX_STORED
    assert DIED in kept


@pytest.mark.parametrize(
    "stored",
    [
        "x",
        [None, {}, {"kind": "kernel"}, {"kind": ["kernel"], "message": "m"}],
        [{"kind": "no-such", "severity": "failed", "message": "m", "cell": None}],
    ],
)
def test_malformed_problems_are_skipped(stored: object) -> None:
    assert problems_in(stored) == []


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
    for problems in ([DIED], [DIED, EDITED]):
        put_notes_on_top(nb, problems)
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
    put_notes_on_top(nb, [Problem(Kind.METADATA, Severity.REPAIRED, message)])
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
