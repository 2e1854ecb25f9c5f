"""The desk's first page: how far each homework of the term is, and what one grader did in it."""

from contextlib import closing
from dataclasses import dataclass

from hw_grading.analysis.closing import Open, still_open
from hw_grading.gradebook.book import ManualGrading
from hw_grading.gradebook.results import read_results
from hw_grading.homework.course import Course
from hw_support.submission.file import UserError


@dataclass(frozen=True)
class Progress:
    """The grading by hand of one homework, in answers, and what is open before grades go out."""

    homework: str
    graded: int = 0
    of: int = 0
    yours: int = 0  # graded by the grader
    again: int = 0  # of these: flagged, or the student's answer has changed since
    open: tuple[Open, ...] = ()
    trouble: str = ""  # why nothing is known


def progress_of(course: Course, grader: str) -> list[Progress]:
    """Return the progress of each homework, and what of it is the grader's."""
    return [_progress(course, name, grader) for name in course.homeworks()]


def _progress(course: Course, homework: str, grader: str) -> Progress:
    try:
        with closing(ManualGrading(course, homework)) as book:
            cells = [question.cell for question in book.questions()]
            answers = [grading for cell in cells for grading in book.gradings(cell).values()]
        found = still_open(read_results(course, homework))
    except UserError as why:
        return Progress(homework, trouble=str(why))
    yours = [
        answer for answer in answers if grader and answer.grader == grader and answer.mark.done
    ]
    return Progress(
        homework,
        graded=sum(not answer.waits for answer in answers),
        of=len(answers),
        yours=len(yours),
        again=sum(one.mark.flagged or one.changed for one in yours),
        open=tuple(found),
    )
