"""What is known of a failure: what its wrong results tell, and the sentences of known mistakes."""

import contextlib
import functools
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from hw_support.checks.causes import checksum_of
from hw_support.checks.compare import Mismatch, as_numbers, looked_at
from hw_support.checks.fingerprint import Checksum, of_checksums, of_results


@functools.cache
def told_in(folder: Path) -> Mapping[str, Mapping[str, str]]:
    """Return the sentences that the descriptions of releases in a folder tell, by fingerprint.

    The outer keys are names of `Checks`. Nothing here is an error: a student needs no description.
    """
    from hw_support.submission.released import ENDING  # takes nbformat, which few need

    found: dict[str, dict[str, str]] = {}
    for path in sorted(folder.glob(f"*{ENDING}")):
        with contextlib.suppress(Exception):
            mistakes = json.loads(path.read_text(encoding="utf-8"))["known"]
            for name, sentences in mistakes.items():
                found.setdefault(name, {}).update(sentences)
    return found


def seen_in(
    compared: Sequence[str], came: Mapping[str, Sequence[Any]], due: Mapping[str, Sequence[Any]]
) -> tuple[str, str]:
    """Return which results have changed places, or "", and the fingerprint of those that are wrong.

    `came` and `due` have the results of all visible cases by name; `due` may lack some. `compared`
    are the names that a table compares. The fingerprint is "" if there is none.
    """
    checksums, right = ({name: _checksum_of(its) for name, its in of.items()} for of in (came, due))
    swapped, wrong = set(), {}
    for name in compared:
        if name in right and _agree(checksums[name], right[name]):
            continue  # the values are right; another part is about the shape
        for other in right.keys() - {name}:
            if _agree(checksums[name], right[other]) and _agree(right.get(name), checksums[other]):
                swapped.add(f"{' and '.join(sorted((name, other)))} have changed places")
        wrong[name] = checksums[name]
    if len(swapped) == 1:
        (cause,) = swapped
        return cause, of_results(cause)
    return "", of_checksums(wrong)


def _agree(checksum: Checksum | None, other: Checksum) -> bool:
    return checksum is not None and abs(checksum[0] - other[0]) < checksum[1]


def _checksum_of(results: Sequence[Any]) -> Checksum:
    return checksum_of([array for value in results for array in _arrays_in(value)])


def _arrays_in(value: Any) -> list[Any]:
    """Return the numbers in a result as arrays: one, or those of the entries of a list."""
    value = looked_at(value)
    try:
        return [as_numbers(value, what="")]
    except Mismatch:
        entries = value if isinstance(value, list | tuple) else []
        return [array for entry in entries for array in _arrays_in(entry)]
