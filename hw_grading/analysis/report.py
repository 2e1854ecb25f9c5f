"""A class as a table for a terminal: points by question, ungraded answers, problems.

Widths are terminal columns, so that names in any script stay aligned.
"""

import contextlib
import itertools
import shutil
import textwrap
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from hw_grading.gradebook.final_scores import FinalScore, final_scores
from hw_grading.gradebook.graded_notebook import plain
from hw_grading.gradebook.results import Roster, StudentResult, read_results
from hw_grading.gradebook.scores import Cell, Record, Score, counted, in_digits
from hw_grading.gradebook.timestamp import read_time
from hw_grading.gradebook.writing import aligned, columns
from hw_grading.outcome import Status
from hw_support.submission.file import Unreadable
from hw_support.submission.problems import Severity

WIDEST_NAME = 24
WIDEST_QUESTION = 6
MOST_FAULTS = 3
_LONGEST_REASON = 1_000  # characters


def report(course: Path, assignment: str, width: int | None = None) -> str:
    """Return the table of a class, in lines of at most `width` columns, by default the terminal's.

    A question's points are those given so far, with corrections. A "+" means that a person still
    has to grade some of it. If lateness costs any student points, the total is shown as score,
    penalty and the rest. Problems are listed below a student's points, one on a line. Below the
    table are counts. The errors are those of `hw_grading.gradebook.results.read_results`.
    """
    roster, results = read_results(course, assignment)
    finals = final_scores(roster.course, assignment)
    width = width or shutil.get_terminal_size((140, 24)).columns
    counts = {cell.name for cell in finals.cells}
    questions: dict[str, list[Cell]] = {}
    for cell in roster.cells:
        if cell.max_points and cell.name in counts:
            questions.setdefault(roster.places[cell.name].question, []).append(cell)
    any_late = any(final.penalty or final.why_penalty for final in finals.students.values())
    totals = ["score", "penalty", "final"] if any_late else ["total"]
    heads = ["student", *questions, "tests", "by hand", *totals, "late"]
    most = [sum(cell.max_points for cell in cells) for cells in questions.values()]
    of_tests = sum(cell.max_points for cell in finals.cells if not cell.by_hand)
    by_hand = sum(cell.max_points for cell in finals.cells if cell.by_hand)
    limits = ["of", *map(in_digits, [*most, of_tests, by_hand, finals.max_score])]
    limits += ["", in_digits(finals.max_score), ""] if any_late else [""]
    rows = [heads, limits]
    of = finals.students
    rows += [_row(one, of.get(one.record.student), questions, any_late) for one in results]
    for row in rows:
        row[0] = fit(row[0], WIDEST_NAME)
    heads[1 : 1 + len(questions)] = [fit(head, WIDEST_QUESTION) for head in questions]
    lines = []
    for line, result in zip(aligned(rows, right=1), [None, None, *results], strict=True):
        lines.append(line)
        room = max(width - 4, 1)
        final = of.get(result.record.student) if result else None
        high = [] if final is None else [_too_high(score) for score in final.too_high]
        own = [f"{one.cell}: {one}" for one in final.corrections if one.is_own] if final else []
        remarks = [*_remarks(roster, result, room), *high, *own]
        lines += ["    " + fit(remark, room) for remark in remarks]
    return "\n".join([*lines, "", *_summary(roster.assignment, results, counts)])


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
    result: StudentResult,
    final: FinalScore | None,
    questions: dict[str, list[Cell]],
    any_late: bool,
) -> list[str]:
    record = result.record
    if not record.scored or final is None:
        return [record.student, *["–"] * (len(questions) + (5 if any_late else 3)), record.late]
    cells_shown = set(itertools.chain.from_iterable(questions.values()))
    scores = [score for score in record.scores if score.cell in cells_shown]
    waits = {score.cell for score in scores if score.waits}
    points = []
    for cells in questions.values():
        plus = "+" if waits.intersection(cells) else ""
        points.append(in_digits(sum(final.points(cell.name) for cell in cells)) + plus)
    auto = sum(score.auto or 0.0 for score in scores if not score.cell.by_hand)
    left = sum(cell.max_points for cell in waits)
    waiting = f"{in_digits(left)} wait" if left else "done"
    totals = [final.score, final.penalty, final.final] if any_late else [final.final]
    given = [in_digits(auto), waiting, *map(in_digits, totals)]
    return [record.student, *points, *given, record.late]


def _too_high(score: Score) -> str:
    points, most = in_digits(score.manual or 0.0), in_digits(score.cell.max_points)
    return f"{score.cell.name}: a person gave {points} of {most}, more than the question's points"


def _remarks(roster: Roster, result: StudentResult | None, width: int) -> list[str]:
    """Return why there are no points, in lines, or the first failed parts and how many others."""
    if result is None:
        return []
    faults = result.faults
    cells = {fault.cell for fault in faults}
    if len(cells) == len(faults) > 1 and len({(f.part, f.message) for f in faults}) == 1:
        faults = (replace(faults[0], cell=f"{len(faults)} cells"),)
    remarks = [str(fault) for fault in faults[:MOST_FAULTS]]
    if len(faults) > MOST_FAULTS:
        remarks.append(f"and {len(faults) - MOST_FAULTS} more")
    if result.status is not Status.NOT_GRADED:
        changed = _changed_time(roster, result.record)
        remarks += textwrap.wrap(changed, width, break_on_hyphens=False)
    if result.status is not Status.GRADED:
        reason = f"{result.status.upper()}: {result.reason}"
        remarks[:0] = textwrap.wrap(plain(reason, _LONGEST_REASON), width)
    mended = [p.message for p in result.problems if p.severity is Severity.MENDED]
    remarks += [f"repaired: {message}" for message in mended[:MOST_FAULTS]]
    return remarks


def _changed_time(roster: Roster, record: Record) -> str:
    """Say that a submission's time was changed after grading; "" if it was not."""
    name = roster.assignment
    with contextlib.suppress(Unreadable):  # the run has reported it already
        now = read_time(roster.course.submitted(record.student, name))
        if now and now != record.handed_in:
            return (
                "timestamp.txt was changed after this grading, and its time does not count yet. To "
                f"count it: nbgrader autograde {name} --student={record.student} --force"
            )
    return ""


def _summary(assignment: str, results: Sequence[StudentResult], counts: set[str]) -> list[str]:
    became = {status: sum(result.status is status for result in results) for status in Status}
    waiting = [
        sum(score.waits and score.cell.name in counts for score in result.record.scores)
        for result in results
        if result.record.scored
    ]
    answers, students = sum(waiting), sum(map(bool, waiting))
    lines = [
        ", ".join(f"{status} {count}" for status, count in became.items()),
        f"waiting for a person (+): {counted(answers, 'answer')} of {counted(students, 'student')}",
    ]
    if answers:
        lines.append(f"to grade them in the browser: python -m hw_grading desk {assignment}")
    return lines
