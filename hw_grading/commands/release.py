"""Releases homeworks: the students' notebooks, and zips that work on the students' own machines.

First all source files are checked, and the tests are tried in a copy of the course, so that a
mistake does not stop the release halfway. Then `nbgrader generate_assignment` makes the notebooks
and their descriptions. Zips are made from these.
"""

import json
import tempfile
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import nbformat

from hw_grading.commands.student_zip import write_student_zip
from hw_grading.grade.settings import WholeClass
from hw_grading.grade.trial import try_alone
from hw_grading.gradebook.model import wrong_conditions, wrong_sums
from hw_grading.gradebook.scores import ScoredCell
from hw_grading.homework.course import Course, released_copy
from hw_grading.homework.homework import FILE_NAME, ManifestError, manifest_of
from hw_grading.homework.layout import STAFF, TEST
from hw_grading.homework.notebook import Notebook
from hw_grading.homework.points import differ, set_points
from hw_grading.homework.source_notebook import (
    mistakes,
    refuse,
    unknown_cells,
    unused_generators,
    wrong_ids,
    wrong_marks,
)
from hw_support.source import tested_in
from hw_support.submission.file import UserError


class NotReleased(UserError):
    """The tests of a homework do not keep their promise. The text has a line for each finding."""


def release(course: Course, out: Path, names: Sequence[str] = ()) -> tuple[list[Path], list[str]]:
    """Generate released notebooks, write the students' zips, and return zips and warnings.

    A warning is a sentence of `check_source` or of `requirements_of`. Raises `UserError` if there
    is no such homework; `ManifestError`, before any change, if a manifest has a mistake or other
    points than the notebook; `UserError` if students could read what is hidden in a cell, or if
    nbgrader cannot generate an assignment; `NotReleased`, before any change, if the solutions lose
    a point of a test, a test has a fault, or the untouched release gets a point.
    """
    if not (chosen := list(dict.fromkeys(names)) or course.homeworks()):
        raise UserError(
            f"{course.folder} has no homework: expected a folder with a notebook for each. Go to "
            "the course's folder, or name the folder with --course"
        )
    for name in chosen:
        course.expect_homework(name)
    said = [sentence for name in chosen for sentence in check_source(course, name)]
    if found := [sentence for name in chosen for sentence in _findings(course, name)]:
        raise NotReleased("\n".join([*found, "Nothing was released. Repair this, then try again."]))
    for name in chosen:
        course.run_nbgrader("generate_assignment", name, "--force")
    zips = []
    for name in chosen:
        path, more = write_student_zip(course, out, name)
        zips.append(path)
        said += more
    return zips, said


def check_source(course: Course, assignment: str) -> list[str]:
    """Return a sentence for each contradiction between points or ids; raise as `release`."""
    manifest = manifest_of(course.root, assignment)
    file = course.root / STAFF / assignment / FILE_NAME
    total, contradictions, wrong = 0.0, list[str](), list[str]()
    known, owner, tested = set[str](), dict[str, Path](), set[str]()
    for path in course.sources(assignment):
        shown = path.relative_to(course.root) if path.is_relative_to(course.root) else path
        try:
            with warnings.catch_warnings(action="ignore"):  # of ids, which `wrong_ids` names
                notebook = nbformat.read(path, as_version=4)
        except ValueError as error:
            raise UserError(
                f"{path} is not a notebook ({error}). Put back an earlier version of it. "
                "If it is not part of the homework, move it out of this folder"
            ) from error
        contradictions += [f"{shown}: {sentence}" for sentence in set_points(notebook)]
        document = json.loads(path.read_text(encoding="utf-8"))
        ids = wrong_ids(document["cells"]) if _has_ids(document) else ()
        said = [*ids, *wrong_marks(notebook), *mistakes(notebook)]
        if said:
            wrong += [f"{shown}: {sentence}" for sentence in said]
            continue
        read = Notebook.of(notebook)
        known |= {cell.grade_id for cell in read.cells}
        tests = (cell.source for cell in read.cells if cell.kind == TEST)
        tested |= {name for source in tests for name, _ in tested_in(source)}
        by_hand = []
        for cell in (one for one in read.cells if one.points):
            total += cell.points
            name = cell.grade_id
            if name in owner:
                wrong.append(
                    f"{shown}: the id {name} is also that of another cell with points in "
                    f"{owner[name]}. Each needs its own."
                )
            owner[name] = shown
            if cell.kind != TEST:
                by_hand.append(ScoredCell(name, cell.points, by_hand=True))
        places = read.places
        sums = [*wrong_sums(by_hand, places), *wrong_conditions(by_hand, places, manifest.arrays)]
        contradictions += [f"{shown}: {sentence}" for sentence in sums]
    refuse(wrong)
    if manifest.points is not None and differ(manifest.points, total):
        raise ManifestError(
            f"{file}: points is {manifest.points:g}, but the cells of the notebook sum to "
            f"{total:g}. Change one of the two."
        )
    fresh = file.with_name("fresh.py")
    unused = unused_generators(fresh.read_text("utf-8"), tested) if fresh.is_file() else ()
    return [
        *(f"{file}: {said}" for said in unknown_cells(manifest, known)),
        *(f"{fresh}: {said}" for said in unused),
        *contradictions,
    ]


def _has_ids(document: Mapping[str, Any]) -> bool:
    return (document.get("nbformat"), document.get("nbformat_minor")) >= (4, 5)


def _findings(course: Course, assignment: str) -> list[str]:
    """Try the tests in a copy of the course; return what is to be repaired, in sentences.

    The results are kept where `nbgrader autograde` finds them.
    """
    place = WholeClass(config=course.config).place(course.root).absolute()
    settings = f"c.WholeClass.folder = {str(place)!r}\n"
    with tempfile.TemporaryDirectory(prefix="hw-release-") as folder:
        copy = released_copy(course, assignment, Path(folder), settings)
        return [said for cell in try_alone(copy, assignment) for said in cell.findings]
