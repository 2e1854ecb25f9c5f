"""Names for mistakes that `hw-grading try` proposes: those of the wrong answers that it graded."""

import json
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from hw_grading.texts import write_whole

FOLDER = "tried"  # in the folder of the class's results
Names = Mapping[str, Mapping[str, str]]  # by test, by fingerprint


def write_proposed(folder: Path, assignment: str, names: Names) -> None:
    """Write the names into a folder."""
    write_whole(folder / f"{assignment}.names.json", json.dumps(names, indent=1).encode())


def read_proposed(folder: Path, assignment: str) -> Names:
    """Return the names; none if `try` has not run."""
    with suppress(OSError, ValueError):
        names: Names = json.loads((folder / f"{assignment}.names.json").read_text(encoding="utf-8"))
        return names
    return {}
