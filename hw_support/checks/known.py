"""Known mistakes of one function: by the marks of wrong results, or by their fingerprints."""

import contextlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from hw_support.checks.causes import mark_of
from hw_support.checks.compare import Mismatch, as_numbers, looked_at
from hw_support.checks.fingerprint import Mark, of_marks


class KnownMistakes:
    """Known mistakes: by what each one is, the marks of the results that it makes wrong, by name.

    `marks` are those of the tables that failed.
    """

    def __init__(self, likely: Mapping[str, Mapping[str, Sequence[float]]]) -> None:
        self.marks: dict[str, list[float]] = {}
        self._likely = likely

    def behind(
        self,
        compared: Sequence[str],
        came: Mapping[str, Sequence[Any]],
        due: Mapping[str, Sequence[Any]],
    ) -> tuple[str, str]:
        """Return the mistake that explains what `came` of all cases, and its fingerprint.

        The mistake is "" if none or several explain it. `came` and `due` have the results of each
        name; `due` may lack some. `compared` are names of results, of which some are wrong.
        """
        marks, right = ({name: _mark_of(its) for name, its in of.items()} for of in (came, due))
        found, wrong = set(), {}
        for name in compared:
            mark = marks[name]
            if name in right and _agree(mark, right[name][0]):
                continue  # the values are right; another part is about the shape
            for other in right.keys() - {name}:
                if _agree(mark, right[other][0]) and _agree(right.get(name), marks[other][0]):
                    found.add(f"{' and '.join(sorted((name, other)))} have changed places")
            wrong[name] = mark
            self.marks.setdefault(name, []).append(mark[0])
            for cause, known in self._likely.items():
                if any(_agree(mark, one) for one in known.get(name, ())):
                    found.add(cause)
        swapped = [cause for cause in found if cause not in self._likely]
        cause = (swapped or [*found])[0] if len(swapped) == 1 or len(found) == 1 else ""
        return cause, of_marks(wrong)


def sentence_in_release(name: str, fingerprint: str) -> str:
    """Return the sentence with which a description in this folder names a mistake; "" without one.

    `name` is that of the `Checks`. See `hw_support.submission.released`.
    """
    for file in sorted(Path().glob("*.released.json")):
        with contextlib.suppress(OSError, ValueError, LookupError, TypeError):
            return str(json.loads(file.read_text(encoding="utf-8"))["known"][name][fingerprint])
    return ""


def _agree(mark: Mark | None, other: float) -> bool:
    return mark is not None and abs(mark[0] - other) < mark[1]


def _mark_of(results: Sequence[Any]) -> Mark:
    return mark_of([array for value in results for array in _arrays_in(value)])


def _arrays_in(value: Any) -> list[Any]:
    """Return the numbers in a result as arrays: one, or those of the entries of a list."""
    value = looked_at(value)
    try:
        return [as_numbers(value, what="")]
    except Mismatch:
        entries = value if isinstance(value, list | tuple) else []
        return [array for entry in entries for array in _arrays_in(entry)]
