"""Why a score changed: the differences between two gradings of one submission."""

from collections.abc import Iterator, Mapping

from hw_grading.batch.job import OURS
from hw_grading.batch.snapshot import Conditions, Notebook, Work
from hw_grading.gradebook.scores import in_digits, named
from hw_support.submission.problems import Kind, Severity

_ARROW = "\N{RIGHTWARDS ARROW}"
_MOST_NAMED = 4
# PROTOCOL is included: a notebook that does not stop at its time limit stops answering.
_LIMITS = {Kind.TIME_LIMIT, Kind.MEMORY_LIMIT, Kind.DISK_LIMIT, Kind.OUTPUT_LIMIT, Kind.PROTOCOL}
_BESIDE = {Kind.FOLDER, Kind.OTHER_NOTEBOOK}  # problems that do not affect scores
# Before and after.
_Works = tuple[Work, Work]
_Pair = tuple[Conditions | None, Conditions | None]
_Points = tuple[float | None, float | None]


def reasons(cell: str, works: _Works, conditions: _Pair, most: _Points) -> Iterator[str]:
    """Yield the reasons why the points of one cell changed, in words; at least one."""
    found = [*_points(cell, works, most), *_contents(cell, works)]
    found += _limits(works, conditions, bool(found))
    found += _mended(works)
    before, after = conditions
    otherwise = "no change is recorded: the answer may be random, or close to a limit"
    if before and after:
        found += _code(before, after)
        found = found or [*_packages(before, after)]
    else:
        what = "limits, the homework's code or packages"
        otherwise = f"unknown: {what} may have changed (no record of them)"
    yield from found or [otherwise]


def of_conditions(one: Conditions, other: Conditions) -> Iterator[str]:
    """Yield the differences between two gradings, apart from the notebooks' contents."""
    yield from _changed_limits(one, other)
    yield from _code(one, other)
    yield from _packages(one, other)


def _points(cell: str, works: _Works, most: _Points) -> Iterator[str]:
    if most[0] is not None and most[1] is not None and most[0] != most[1]:
        yield f"points changed: {in_digits(most[0])} {_ARROW} {in_digits(most[1])}"
    scores = [work.scores.get(cell) for work in works]
    by_hand = [(score.manual, score.extra) if score else (None, 0.0) for score in scores]
    if by_hand[0] != by_hand[1]:
        yield "a person gave other points"
    corrections = [work.corrections.get(cell, []) for work in works]
    for kind, one, other in (("correction", 1, 0), ("correction undone", 0, 1)):
        for effect in corrections[one]:
            if not effect.is_among(corrections[other]):
                yield f"{kind}: {effect.points:+g}, {effect.reason}"


def _contents(cell: str, works: tuple[Work, Work]) -> Iterator[str]:
    old, new = works[0].notebook, works[1].notebook
    if old.trouble or new.trouble:
        yield "not graded completely, before or now"
        return
    tests = set(old.parts) | set(new.parts)
    instructors = _different(old.instructors, new.instructors)
    if cell in instructors:
        yield "test changed"
    if others := [name for name in instructors if name not in tests]:
        yield f"instructor's cells changed: {named(others, _MOST_NAMED)}"
    if answers := _different(old.answers, new.answers):
        names = [name for name in answers if name]
        yield f"answer changed: {named(names, _MOST_NAMED)}" if names else "answer changed"


def _different(one: Mapping[str, str], other: Mapping[str, str]) -> list[str]:
    return [name for name in dict.fromkeys([*one, *other]) if one.get(name) != other.get(name)]


def _limits(works: _Works, conditions: _Pair, is_explained: bool) -> Iterator[str]:
    """Yield changed limits, if a limit was reached or nothing else explains the score."""
    reached = [[p.message for p in work.notebook.problems if p.kind in _LIMITS] for work in works]
    in_parts = [sorted(_timed_out(work.notebook)) for work in works]
    touched = reached[0] != reached[1] or in_parts[0] != in_parts[1]
    if conditions[0] and conditions[1] and (touched or not is_explained):
        yield from _changed_limits(conditions[0], conditions[1])
    before, now = reached
    yield from (f"reached a limit before: {message}" for message in before if message not in now)
    yield from (f"reaches a limit now: {message}" for message in now if message not in before)


def _changed_limits(one: Conditions, other: Conditions) -> Iterator[str]:
    old, new = one.limits, other.limits
    for name in _different(old, new):
        yield f"limit changed: {name} {old.get(name, 'none')} {_ARROW} {new.get(name, 'none')}"


def _timed_out(notebook: Notebook) -> Iterator[tuple[str, str]]:
    for cell, parts in notebook.parts.items():
        for part in parts:
            if part.message.startswith(("did not return within", "interrupted before")):
                yield cell, part.name


def _mended(works: tuple[Work, Work]) -> Iterator[str]:
    ignored = _BESIDE | _LIMITS
    mended = [[p for p in w.notebook.problems if p.severity is Severity.MENDED] for w in works]
    before, now = ({p.message for p in some if p.kind not in ignored} for some in mended)
    if new := sorted(now - before):
        yield f"repaired now: {new[0]}"
    elif gone := sorted(before - now):
        yield f"repaired before: {gone[0]}"


def _code(one: Conditions, other: Conditions) -> Iterator[str]:
    if files := _different(one.code, other.code):
        yield f"staff code changed: {named(files, _MOST_NAMED)}"


def _packages(one: Conditions, other: Conditions) -> Iterator[str]:
    old, new = one.packages, other.packages
    names = _different(old, new)
    if others := [name for name in names if name != OURS]:
        versions = [f"{n} {old.get(n, 'none')} {_ARROW} {new.get(n, 'none')}" for n in others]
        yield f"packages changed: {named(versions, _MOST_NAMED)}"
    elif names:
        yield "the grader itself changed"
