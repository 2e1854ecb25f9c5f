"""Applies a changed rubric to the answers that were already graded."""

from collections.abc import Mapping
from dataclasses import asdict, replace

from hw_grading.records.scores import in_digits, signed
from hw_grading.rubrics.gradings import read_gradings, rescore
from hw_grading.rubrics.history import Stamp, log
from hw_grading.rubrics.model import Grading, Mark, Rescored, Rubric, RubricChanged
from hw_grading.rubrics.rows import Rows, read_rubric, write_rubric


def rescored(gradings: Mapping[str, Grading], rubric: Rubric, max_points: float) -> list[Rescored]:
    """Return the answers, graded on the desk last, whose score changes under another rubric."""
    found = []
    for student, mark in _graded(gradings, rubric).items():
        before = gradings[student].score
        after = rubric.score(mark.chosen, mark.adjustment, max_points)
        if before is not None and after != before:
            found.append(Rescored(student, before, after))
    return found


def change(
    rows: Rows, first: Rubric, rubric: Rubric, stamp: Stamp
) -> tuple[Rubric, list[Rescored]]:
    """Save a rubric, its scores and comments; `RubricChanged` if somebody else has changed it."""
    old, by = read_rubric(rows, first)
    if rubric.revision != old.revision:
        raise RubricChanged(old, by)
    new = write_rubric(rows, rubric, stamp.grader, stamp.max_points)
    # This includes items that had been deleted and are back again.
    gradings = read_gradings(rows, new, lock=True)
    changed = rescored(gradings, new, stamp.max_points)
    for student, mark in _graded(gradings, new).items():
        score = new.score(mark.chosen, mark.adjustment, stamp.max_points)
        rescore(rows, student, score, new.comment(mark, stamp.max_points))
    after = {"rubric": asdict(new), "what": _in_words(old, new, len(changed))}
    log(rows, stamp, "", {"rubric": asdict(old)}, after)
    for one in changed:
        of_this = replace(stamp, action="rescored")
        log(rows, of_this, one.student, {"score": one.before}, {"score": one.after})
    return new, changed


def _graded(gradings: Mapping[str, Grading], rubric: Rubric) -> dict[str, Mark]:
    """Return the marks of answers graded on the desk, with only the items still in the rubric."""
    return {
        student: replace(grading.mark, chosen=grading.mark.chosen & rubric.ids)
        for student, grading in gradings.items()
        if grading.mark.done and not grading.overridden
    }


def _in_words(old: Rubric, new: Rubric, scores: int) -> str:
    """Return a description of the difference, for the history."""
    before = {item.id: item for item in old.items}
    after = {item.id: item for item in new.items}
    said = [f"added “{after[key].text}”" for key in after if key not in before]
    said += [f"deleted “{before[key].text}”" for key in before if key not in after]
    for key in before.keys() & after.keys():
        one, other = before[key], after[key]
        if one.points != other.points:
            said.append(f"“{other.text}”: {signed(one.points)} became {signed(other.points)}")
        if one.text != other.text:
            said.append(f"“{one.text}” became “{other.text}”")
        if one.note != other.note:
            said.append(f"new note on “{other.text}”")
    if old.kind != new.kind:
        said.append(f"{old.kind} became {new.kind}")
    if (old.lower, old.upper) != (new.lower, new.upper):
        said.append(f"bounds {in_digits(new.lower)} to {in_digits(new.upper)}")
    return f"{'; '.join(said) or 'another order'} (scores changed: {scores})"
