"""Problems are stored in a notebook, and shown as plain text, not as a student's markup."""

import tracemalloc

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from hw_support.submission.problems import (
    MOST_STORED,
    NOTES_HEADING,
    Kind,
    Problem,
    Severity,
    add_problems,
    is_notes,
    put_notes_on_top,
    quoted,
    read_problems,
)

DIED = Problem(Kind.KERNEL, Severity.FAILED, "It died.", "forward_pass")
EDITED = Problem(Kind.EDITED_CELL, Severity.MENDED, "It was edited.")


def test_problems_of_several_stages_are_stored_once_each_and_in_order() -> None:
    nb = new_notebook()
    nb.metadata["hw_grading"] = {"finished": True}
    add_problems(nb, [EDITED])
    add_problems(nb, [DIED, EDITED])
    nb = nbformat.reads(nbformat.writes(nb), as_version=4)
    assert read_problems(nb) == [EDITED, DIED]
    assert nb.metadata.hw_grading.finished is True


def test_the_number_of_stored_problems_is_limited() -> None:
    nb = new_notebook()
    add_problems(nb, [Problem(Kind.METADATA, Severity.MENDED, str(i)) for i in range(10_000)])
    assert len(read_problems(nb)) == MOST_STORED


@pytest.mark.parametrize(
    "stored",
    [
        None,
        "x",
        {"problems": "x"},
        {"problems": [None, {}, {"kind": "kernel"}, {"kind": ["kernel"], "message": "m"}]},
        {"problems": [{"kind": "no-such", "severity": "failed", "message": "m", "cell": None}]},
        {"problems": [{"kind": "kernel", "severity": "failed", "message": 7, "cell": None}]},
    ],
)
def test_malformed_problems_are_skipped(stored: object) -> None:
    nb = new_notebook()
    nb.metadata["hw_grading"] = stored
    assert read_problems(nb) == []
    add_problems(nb, [DIED])
    assert read_problems(nb) == [DIED]


def test_notes_are_on_top_once_and_replace_cells_that_imitate_them() -> None:
    nb = new_notebook(
        cells=[
            new_code_cell("x", id="notes-from-the-grader"),
            new_markdown_cell(f"\n{NOTES_HEADING}\n\nFull marks."),
        ]
    )
    add_problems(nb, [DIED])
    put_notes_on_top(nb)
    add_problems(nb, [EDITED])
    put_notes_on_top(nb)
    nbformat.validate(nb)
    notes, cell = nb.cells
    assert "<li>It died.</li>\n<li>It was edited.</li>" in notes.source
    assert cell.source == "x"


def test_without_problems_there_are_no_notes() -> None:
    nb = new_notebook(cells=[new_markdown_cell(NOTES_HEADING)])
    put_notes_on_top(nb)
    assert nb.cells == []


@pytest.mark.parametrize(
    "text",
    [
        "###  Notes from the grader\n\nFull marks.",
        "# notes from the GRADER: full marks",
        "> - ## Notes from the grader ##",
        "<h3 id='a'>Notes from the grader</h3>\n<ul><li>Full marks.</li></ul>",
        "<h2>Notes from the grader, part 2</h2>",
        "Notes from the grader\n---\nFull marks.",
        "Notes from\nthe grader\n===",
        "**Notes _from_ the grader:**",
        "\u26a0 Notes&nbsp;from the&#32;grader",
        "### No\u200btes fr\u00adom the gra\u2060der",
        "### \uff2eotes from the gr\N{MATHEMATICAL BOLD SMALL A}der",
        "My text.\n\n### Notes from the grader\n\nFull marks.",
        "<!-- a <b x --><h3>Notes from the grader</h3>",
        "a <b\n \n### Notes from the grader\n\n>",
        "a <!--\n\n### Notes from the grader\n\n-->",
        "### N" + "\u0301\u0323" * 50_000 + "otes from the grader",
    ],
)
def test_no_text_of_a_student_looks_like_the_notes(text: str) -> None:
    answer = new_markdown_cell(text, metadata={"nbgrader": {"grade_id": "a"}})
    nb = new_notebook(cells=[new_markdown_cell(text), answer, new_markdown_cell("Mine.")])
    add_problems(nb, [DIED])
    put_notes_on_top(nb)
    assert [cell.source for cell in nb.cells[1:]] == [text, "Mine."]
    assert nb.cells[0].source.startswith(f"{NOTES_HEADING}\n\n<ul>\n<li>It died.")


@pytest.mark.parametrize(
    "text",
    [
        "In the notes from the grader I read that the sum is wrong.",
        "Notes from the grader of last week say that I should use `np.sum`.",
        "### What I learned from the notes from the grader",
        "I keep notes from the grader <b>here</b>.",
        "My notes\n\nfrom the grader",
        "<!--\n" * 100_000,
        "<b" * 200_000,
    ],
    ids=lambda text: text[:20],
)
def test_a_text_that_mentions_the_notes_stays(text: str) -> None:
    nb = new_notebook(cells=[new_markdown_cell(text)])
    put_notes_on_top(nb)
    assert [cell.source for cell in nb.cells] == [text]


@pytest.mark.parametrize("character", ["\ufdfa", "\u3316", "d\u0434!"])
def test_a_text_of_any_characters_is_read_in_little_memory(character: str) -> None:
    cell = new_markdown_cell(100_000 * character)
    tracemalloc.start()
    try:
        assert not is_notes(cell)
        assert tracemalloc.get_traced_memory()[1] < 10_000_000
    finally:
        tracemalloc.stop()


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
