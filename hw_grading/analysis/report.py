"""A class as a table for a terminal: points by question, ungraded answers, problems.

Widths are terminal columns, so that names in any script stay aligned.
"""

import contextlib
import itertools
import shutil
import textwrap
from collections.abc import Set
from pathlib import Path

from hw_grading.analysis.closing import open_lines, still_open
from hw_grading.gradebook.collected import Collected, read_collected
from hw_grading.gradebook.requests import requests_in
from hw_grading.gradebook.results import Results, StudentResult, read_results
from hw_grading.gradebook.runs import Failure
from hw_grading.gradebook.scores import ScoredCell, open_gradebook
from hw_grading.homework.course import Course
from hw_grading.outcome import Status
from hw_grading.texts import aligned, columns, counted, in_digits, typed
from hw_support.checks.failures import one_line
from hw_support.submission.file import UserError
from hw_support.submission.problems import plain

WIDEST_NAME = 24
WIDEST_QUESTION = 6
NOT_PROVEN = "?"
MAX_FAILURES = 3
_LONGEST_REASON = 1_000  # characters
_STATUS = {
    Status.GRADED: "graded",
    Status.SUBMISSION_FAILED: "graded with problems",
    Status.NOT_GRADED: "not graded",
}


def report(course: Path, assignment: str, width: int | None = None) -> str:
    """Return the table of a class, in lines of at most `width` columns, by default the terminal's.

    A question's points are those given so far, with corrections. A "+" means that a person still
    has to grade some of it, a "?" in place of the lateness that nothing proves the time. If
    lateness costs any student points, the total is shown as score, penalty and the rest. Problems
    are listed below a student's points, one on a line. Below the table are counts, and what is open
    before grades go out. The errors are those of `hw_grading.gradebook.results.read_results`.
    """
    found = read_results(Course(course), assignment)
    width = width or shutil.get_terminal_size((140, 24)).columns
    questions: dict[str, list[ScoredCell]] = {}
    for cell in found.counting:
        if cell.max_points:
            questions.setdefault(found.places[cell.name].question, []).append(cell)
    any_late = any(student.penalty or student.why_penalty for student in found.students.values())
    totals = ["score", "penalty", "final"] if any_late else ["total"]
    heads = ["student", *questions, "tests", "by hand", *totals, "late"]
    most = [sum(cell.max_points for cell in cells) for cells in questions.values()]
    of_tests = sum(cell.max_points for cell in found.counting if not cell.by_hand)
    by_hand = sum(cell.max_points for cell in found.counting if cell.by_hand)
    limits = ["of", *map(in_digits, [*most, of_tests, by_hand, found.max_score])]
    limits += ["", in_digits(found.max_score), ""] if any_late else [""]
    collected = Collected()
    with contextlib.suppress(UserError):  # the list of what is open says it
        collected = read_collected(found.course, assignment)
    rows = [heads, limits, *(_row(one, questions, any_late) for one in found.handed_in)]
    not_proven = set(collected.without_proof(found))
    for row in rows[2:]:
        row[-1] = NOT_PROVEN if row[0] in not_proven else row[-1]
    for row in rows:
        row[0] = fit(row[0], WIDEST_NAME)
    heads[1 : 1 + len(questions)] = _told_apart(list(questions), {*heads} - {*questions})
    lines = []
    for line, result in zip(aligned(rows, right=1), [None, None, *found.handed_in], strict=True):
        lines.append(line)
        room = max(width - 4, 1)
        if result:
            lines += ["    " + fit(remark, room) for remark in _remarks(result, room)]
    return "\n".join([*lines, "", *_summary(found), "", *open_lines(still_open(found))])


def _told_apart(questions: list[str], others: Set[str]) -> list[str]:
    """Return headings of `WIDEST_QUESTION` columns; those that are the same then get a number."""
    heads = [fit(question, WIDEST_QUESTION) for question in questions]
    twice = {head for head in heads if heads.count(head) > 1 or head in others}
    return [
        f"{clipped(head, WIDEST_QUESTION - len(str(n)))}{n}" if head in twice else head
        for n, head in enumerate(heads, 1)
    ]


def fit(text: str, width: int) -> str:
    """Cut a text to `width` terminal columns, with "…" at the end if it was longer."""
    return clipped(plain(text, 10 * width), width)


def clipped(text: str, width: int) -> str:
    """Cut a text as `fit` does, and keep its blanks."""
    if columns(text) <= width:
        return text
    used = itertools.accumulate(map(columns, text))
    return text[: sum(n < width for n in used)] + "…"


def _row(
    result: StudentResult, questions: dict[str, list[ScoredCell]], any_late: bool
) -> list[str]:
    record = result.known
    if not record.scored and result.status is Status.NOT_GRADED:
        return [record.student, *["–"] * (len(questions) + (5 if any_late else 3)), record.late]
    cells_shown = set(itertools.chain.from_iterable(questions.values()))
    scores = [score for score in record.scores if score.cell in cells_shown]
    waits = {score.cell for score in scores if score.waits}
    points = []
    for cells in questions.values():
        plus = "+" if waits.intersection(cells) else ""
        points.append(in_digits(sum(result.points(cell.name) for cell in cells)) + plus)
    auto = sum(score.auto or 0.0 for score in scores if not score.cell.by_hand)
    left = sum(cell.max_points for cell in waits)
    waiting = f"{in_digits(left)} wait" if left else "done"
    totals = [result.score, result.penalty, result.final] if any_late else [result.final]
    given = [in_digits(auto), waiting, *map(in_digits, totals)]
    return [record.student, *points, *given, record.late]


def _remarks(result: StudentResult, width: int) -> list[str]:
    """Return why there are no points, in lines, or the first failures and how many others."""
    failures = result.run.failures if result.run else []
    said = [_line_of(failure) for failure in failures]
    remarks = said[:MAX_FAILURES]
    if len(said) > MAX_FAILURES:
        remarks.append(f"and {len(said) - MAX_FAILURES} more")
    if result.status is not Status.GRADED:
        is_graded = result.status is Status.SUBMISSION_FAILED
        reason = f"{'graded with problems' if is_graded else 'NOT GRADED'}: {result.reason}"
        remarks[:0] = textwrap.wrap(plain(reason, _LONGEST_REASON), width)
    repairs = result.run.repairs if result.run else []
    remarks += [f"repaired: {problem.message}" for problem in repairs[:MAX_FAILURES]]
    for score in result.too_high:
        points, most = in_digits(score.manual or 0.0), in_digits(score.cell.max_points)
        remarks.append(
            f"{score.cell.name}: a person gave {points} of {most}, more than the question's points"
        )
    return remarks + [
        f"{correction.cell}: {correction}"
        for correction in result.corrections
        if correction.is_for_some
    ]


def _line_of(failure: Failure) -> str:
    lost = f"{failure.what} [{in_digits(failure.lost)} pt]" if failure.what else ""
    words = (failure.cell.removeprefix("test_"), lost, failure.message)
    return ": ".join(filter(None, words))


def _summary(found: Results) -> list[str]:
    results = found.handed_in
    became = {status: sum(result.status is status for result in results) for status in Status}
    lines = [", ".join(f"{_STATUS[status]} {count}" for status, count in became.items())]
    if without := sum(result.known.scored and not result.run for result in results):
        lines.append(
            f"what failed is not known of {counted(without, 'submission')}, never graded by this "
            f"version: {typed('hw-grading regrade', found.assignment)}"
        )
    with open_gradebook(found.course.db_url, found.assignment) as (db, _):
        asked = [r for of in requests_in(db, found.assignment).values() for r in of.values()]
    if asked:
        still = sum(one.is_open for one in asked)
        lines.append(f"requests about points: {still} open, {len(asked) - still} with a reply")
    if found.zeros:
        lines.append(f"no submission, 0 points: {', '.join(map(one_line, found.zeros))}")
    if found.left:
        lines.append(f"left the course: {', '.join(map(one_line, found.left))}")
    return lines
