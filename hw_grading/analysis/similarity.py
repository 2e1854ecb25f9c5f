"""Similar answers of a class, for a person to read: pairs, and groups with the same answer.

copydetect compares each student's own code, without the code of the release. Two answers in code
are the same if only white space and comments differ, two texts if their words are the same.
Submissions are read, never run.
"""

import ast
import contextlib
import io
import itertools
import os
import warnings
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from copydetect import CodeFingerprint, compare_files
from copydetect.utils import highlight_overlap
from markupsafe import Markup
from nbformat import NotebookNode

from hw_grading.analysis.words import bag_of, differences, digest_of, similar
from hw_grading.gradebook.results import read_results
from hw_grading.homework.cells import cells_of
from hw_grading.homework.course import Course
from hw_grading.homework.folders import why_unusable
from hw_grading.rendering import templates_in
from hw_grading.texts import write_whole
from hw_support.checks.failures import visible
from hw_support.submission.cells import grade_id_of
from hw_support.submission.file import UserError, read_submission
from hw_support.submission.mending import mend
from hw_support.submission.problems import plain

RUN, WINDOW = 25, 6  # characters of code without names: copydetect's own choice
LEAST_SHARE, LEAST = 0.33, 150  # of the code, and characters; honest answers share at most a fifth
MAX_CHARACTERS = 100_000  # of a student's code; nobody writes nearly so much


@dataclass(frozen=True)
class Work:
    """What one student wrote."""

    student: str
    answers: dict[str, str]  # by grade id, in the form in which they are compared
    texts: dict[str, str]  # those in Markdown, as they were written
    code: CodeFingerprint  # of answers and added cells


def write_similarity(course: Path, assignment: str, out: Path, most: int) -> dict[str, str]:
    """Write the page with at most `most` pairs; return the students left out, with the reasons.

    `UserError` if the released notebook is missing or damaged.
    """
    results = read_results(Course(course), assignment)
    here = results.course
    try:
        released = _joined(here.notebooks_in(here.release(assignment), assignment))
    except UserError as why:
        raise UserError(
            f"{here.release(assignment)}: {why}. Run `nbgrader generate_assignment {assignment}`"
        ) from None
    boilerplate = boilerplate_of(released)
    works, left_out = [], {}
    for student in (one.student.id for one in results.handed_in):
        folder = here.submitted(student, assignment)
        try:
            if unusable := why_unusable(folder):
                raise UserError(f"{folder}: {unusable}")
            notebook = _joined(here.notebooks_in(folder, assignment))
            works.append(own_work(student, notebook, released, boilerplate))
        except (UserError, OSError, ValueError) as why:
            left_out[student] = str(why)
    pairs = similar_pairs(works)
    answers_to = [name for cell in released.cells if (name := grade_id_of(cell))]
    page = templates_in(Path(__file__).parent).get_template("similarity.html.j2")
    content = page.render(
        assignment=plain(assignment, 200),
        compared=len(works),
        left_out=left_out,
        least=LEAST_SHARE,
        pairs=[(*pair, marked(*pair[:2])) for pair in pairs[:most]],
        more=len(pairs[most:]),
        same={name: found for name in answers_to if (found := same_answers(works, name))},
        nearly={name: near for name in answers_to if (near := similar_texts(works, name))},
        plain=plain,
    )
    write_whole(out, content.encode("utf-8", "replace"))
    return left_out


def _joined(paths: Sequence[Path]) -> NotebookNode:
    """Return one notebook with the cells of those that exist; `UserError` if none does."""
    there = list(filter(os.path.lexists, paths)) or paths[:1]
    notebooks = [read_submission(path) for path in there]
    notebooks[0].cells = [cell for notebook in notebooks for cell in notebook.cells]
    return notebooks[0]


def own_work(
    student: str, notebook: NotebookNode, released: NotebookNode, boilerplate: set[int]
) -> Work:
    """Return what a student wrote, and mend the notebook; `UserError` if it is too much code."""
    instructors, others = cells_of(released)
    mend(notebook, instructors, others)
    given = {cell.source.strip() for cell in released.cells}
    to_answer = {cell.grade_id for cell in instructors if cell.solution}
    own = [cell for cell in notebook.cells if cell.source.strip() not in given]
    answered = {name: cell for cell in own if (name := grade_id_of(cell)) in to_answer}
    answers = {name: _normal(cell) for name, cell in answered.items()}
    written = (one for one in answered.items() if one[1].cell_type == "markdown")
    texts = {name: cell.source for name, cell in written}
    cells = []
    for cell in own:
        if cell.cell_type == "code":
            # In lines of white space, copydetect's time grows with the square of their number.
            source = "\n".join(map(str.rstrip, visible(cell.source).split("\n"))).strip("\n")
            cells.append(f"# {grade_id_of(cell) or 'a cell that the student added'}\n{source}")
    code = "\n\n".join(cells)
    if len(code) > MAX_CHARACTERS:
        raise UserError(f"{len(code):,} characters of code are too many to compare")
    prints = CodeFingerprint("own.py", RUN, WINDOW, [*boilerplate], fp=io.StringIO(code))
    return Work(student, answers, texts, prints)


def _normal(cell: NotebookNode) -> str:
    """Return code without white space and comments, and a digest of a text's words."""
    unusable = (SyntaxError, ValueError, RecursionError, MemoryError)
    with contextlib.suppress(*unusable), warnings.catch_warnings(action="ignore"):
        if cell.cell_type == "code":
            return ast.dump(ast.parse(cell.source))
    is_text = cell.cell_type == "markdown"
    return (digest_of(cell.source) if is_text else "") or " ".join(cell.source.split())


def same_answers(works: Sequence[Work], cell: str) -> list[list[str]]:
    """Return the groups of students with the same answer to a question; the largest first."""
    groups: dict[str, list[str]] = defaultdict(list)
    for work in works:
        if cell in work.answers:
            groups[work.answers[cell]].append(work.student)
    return sorted((group for group in groups.values() if len(group) > 1), key=len, reverse=True)


def similar_texts(works: Sequence[Work], cell: str) -> list[tuple[str, list[str], Markup]]:
    """Return texts that are similar but not the same: each with the text that it is compared with.

    That is a student, all students with another text, and how it differs, as HTML.
    """
    texts = {work.student: work.texts[cell] for work in works if cell in work.texts}
    found = []
    for first, *others in similar({student: bag_of(text) for student, text in texts.items()}):
        by_words: dict[str, list[str]] = {digest_of(texts[first]): [first]}
        for other in others:
            by_words.setdefault(digest_of(texts[other]), []).append(other)
        for alike in list(by_words.values())[1:]:
            found.append((first, alike, differences(texts[first], texts[alike[0]])))
    return found


def boilerplate_of(released: NotebookNode) -> set[int]:
    """Return every run of characters in the code of the release."""
    code = "\n\n".join(cell.source for cell in released.cells if cell.cell_type == "code")
    hashes: set[int] = CodeFingerprint("given.py", RUN, 1, fp=io.StringIO(code)).hashes
    return hashes


def similar_pairs(works: Sequence[Work]) -> list[tuple[Work, Work, tuple[float, float]]]:
    """Return pairs with the shares of each one's code that the other has, the highest first."""
    found = []
    for first, second in itertools.combinations(works, 2):
        amount, shares, _ = compare_files(first.code, second.code)
        if amount >= LEAST and max(shares) >= LEAST_SHARE:
            found.append((first, second, shares))
    return sorted(found, key=lambda pair: max(pair[2]), reverse=True)


def marked(first: Work, second: Work) -> list[Markup]:
    """Return the code of two students as HTML, with what is alike marked."""
    places = compare_files(first.code, second.code)[2]
    return [
        Markup(highlight_overlap(code.raw_code, of_code, "<mark>", "</mark>", 2, True)[0])
        for code, of_code in zip((first.code, second.code), places, strict=True)
    ]
