"""Removes a student from a course: every row of the gradebook, every record, every folder.

`nbgrader db student remove` knows only nbgrader's own tables.
"""

import contextlib
import csv
import io
import json
import shutil
from collections.abc import Callable, Iterator

from nbgrader.api import Gradebook, MissingEntry
from sqlalchemy import delete, select, update

from hw_grading.grade.settings import WholeClass
from hw_grading.gradebook.database import Database
from hw_grading.gradebook.tables import CORRECTIONS, METADATA
from hw_grading.homework.course import Course
from hw_grading.homework.homework import why_no_id
from hw_grading.texts import counted, write_whole
from hw_support.submission.file import UserError
from hw_support.submission.problems import quoted


def remove(course: Course, student: str) -> list[str]:
    """Remove a student, whatever there is of them; return what was removed, in lines.

    `UserError` if the course knows nothing of the student.
    """
    if why := why_no_id(student):
        raise UserError(f"{quoted(student)} is not a student id: {why}")
    said = [*_from_gradebook(course, student), *_from_records(course, student)]
    said += _folders(course, student)
    if not said:
        raise UserError(f"{course.root} has nothing of a student {quoted(student)}")
    return said


def _from_gradebook(course: Course, student: str) -> Iterator[str]:
    Database(course.db_url).make_tables()
    rows = 0
    with Gradebook(course.db_url) as gradebook:
        for table in METADATA.sorted_tables:
            if "student" in table.c:
                those = delete(table).where(table.c.student == student)
                rows += gradebook.db.execute(those).rowcount
        groups = select(CORRECTIONS).where(
            CORRECTIONS.c.students.contains(json.dumps(student), autoescape=True)
        )
        for row in gradebook.db.execute(groups).all():
            others = [one for one in json.loads(row.students) if one != student]
            changed = update(CORRECTIONS).where(CORRECTIONS.c.key == row.key)
            rows += gradebook.db.execute(changed.values(students=json.dumps(others))).rowcount
        with contextlib.suppress(MissingEntry):
            gradebook.remove_student(student)  # in the same transaction, which this ends
            yield "gradebook: the student, with all scores and comments by nbgrader"
        gradebook.db.commit()
    if rows:
        of = "runs, marks, requests, extensions and corrections"
        yield f"gradebook: {counted(rows, 'row')} of {of}"


def _from_records(course: Course, student: str) -> Iterator[str]:
    """Remove the student from the files that grading, `collect`, exports and `regrade` wrote."""
    place = WholeClass(config=course.config).place(course.root)
    without: dict[str, Callable[[str, str], str]] = {
        "collected/*.json": _without_record,
        "exported/*.json": _without_export,
        "*.jsonl": _without_lines,
        "regrades/*.csv": _without_rows,
    }
    for pattern, change in without.items():
        folder = course.root / "grading" if pattern.endswith(".json") else place
        for path in sorted(folder.glob(pattern)):
            text = path.read_text(encoding="utf-8", errors="surrogateescape")
            try:
                kept = change(text, student)
            except (ValueError, LookupError, AttributeError) as why:
                raise UserError(f"{path} is damaged ({why}). Remove it, and try again") from why
            if kept != text:
                write_whole(path, kept.encode("utf-8", "surrogateescape"))
                yield f"{path}: what it said of the student"


def _without_record(text: str, student: str) -> str:
    collected = json.loads(text)
    is_there = collected["students"].pop(student, None)
    return f"{json.dumps(collected, indent=1, ensure_ascii=False)}\n" if is_there else text


def _without_export(text: str, student: str) -> str:
    exports = json.loads(text)
    is_there = [export["scores"].pop(student, None) for export in exports.values()]
    return json.dumps(exports, indent=1, ensure_ascii=False) if any(is_there) else text


def _without_lines(text: str, student: str) -> str:
    begin = f'"student": {json.dumps(student)},'
    return "".join(line for line in text.splitlines(keepends=True) if begin not in line)


def _without_rows(text: str, student: str) -> str:
    rows = list(csv.reader(io.StringIO(text, newline="")))
    kept = [row for row in rows if row[:1] != [student]]
    if len(kept) == len(rows):
        return text
    stream = io.StringIO(newline="")
    csv.writer(stream, lineterminator="\n").writerows(kept)
    return stream.getvalue()


def _folders(course: Course, student: str) -> Iterator[str]:
    """Remove the folders with what the student submitted and got, and what `collect` kept aside."""
    names = {*course.homeworks()}
    names |= {path.stem for path in (course.root / "grading" / "collected").glob("*.json")}
    steps = (course.submitted, course.autograded, course.feedback)
    folders = [step(student, name) for name in sorted(names) for step in steps]
    folders += [course.root / "grading" / "collected" / name / student for name in sorted(names)]
    for folder in folders:
        if folder.is_dir() and not folder.is_symlink():
            shutil.rmtree(folder)
            yield str(folder)
        with contextlib.suppress(OSError):  # it has more, or is not there
            folder.parent.rmdir()
