"""Leaves out submissions of another homework of the course.

The grade ids in a notebook decide. If they do not, the end of its file's name decides.
"""

import re
from collections.abc import Mapping, Sequence
from contextlib import suppress

from hw_grading.homework.course import Course
from hw_grading.homework.instructor_cells import grade_ids_by_assignment
from hw_grading.records.scores import NoScores, open_gradebook
from hw_grading.term.found import Found, LeftOut
from hw_support.submission.belonging import closest, mistaken_for
from hw_support.submission.file import Unreadable

# In a JSON text, quotation marks of a cell's source have a backslash in front of them.
_GRADE_ID = re.compile(rb'"grade_id"\s*:\s*"([^"\\]+)"')


def without_others(
    course: Course, homework: str, found: Sequence[Found]
) -> tuple[list[Found], list[LeftOut]]:
    """Return the submissions of a homework, and the files of other homeworks."""
    ids = _grade_ids_in_sources(course)
    with suppress(NoScores), open_gradebook(course.db_url, homework) as (db, _):
        ids |= grade_ids_by_assignment(db)
    names = "|".join(map(re.escape, sorted(course.homeworks(), key=len, reverse=True)))
    # Canvas and browsers number files of the same name.
    ending = re.compile(rf"(?<![A-Za-z0-9])({names})(?:-\d+| ?\(\d+\))?\.\w+$")
    others: dict[str, str] = {}
    for one in found:
        other, why = _by_grade_ids(one, homework, ids) if homework in ids else ("", "")
        named = ending.search(one.file)
        if not other and named and named[1] != homework:
            other = named[1]
            why = f"its name ends in {other}. If it is {homework}, rename it; otherwise collect it"
        if other not in ("", homework):
            others[one.file] = f"{why}: python -m hw_grading collect {other} …"
    kept = [one for one in found if one.file not in others]
    return kept, [LeftOut(file, why) for file, why in others.items()]


def _grade_ids_in_sources(course: Course) -> dict[str, frozenset[str]]:
    """Return the grade ids of each homework, also of those that the gradebook does not have yet."""
    ids = {}
    for name in course.homeworks():
        with suppress(OSError):
            files = [path.read_bytes() for path in course.source(name).glob("*.ipynb")]
            ids[name] = _grade_ids(b"\n".join(files))
    return {name: found for name, found in ids.items() if found}


def _grade_ids(content: bytes) -> frozenset[str]:
    return frozenset(name.decode(errors="replace") for name in _GRADE_ID.findall(content))


def _by_grade_ids(
    found: Found, homework: str, ids: Mapping[str, frozenset[str]]
) -> tuple[str, str]:
    """Return the homework to which a notebook belongs, and why it is another one; "" if unclear."""
    with suppress(Unreadable, OSError):  # `decide` reports them
        here = _grade_ids(found.read())
        others = {name: theirs for name, theirs in ids.items() if name != homework}
        if mistaken := mistaken_for(here, ids[homework], others):
            of = f"it has {mistaken.found} of the {mistaken.of} cells that only {mistaken.homework}"
            return mistaken.homework, f"{of} has. Collect it as {mistaken.homework}"
        if closest(here, ids) == [homework]:
            return homework, ""
    return "", ""
