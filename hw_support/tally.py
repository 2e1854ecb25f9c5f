"""The outcomes of the parts of one test cell: prints them, and adds up the points."""

import os
from dataclasses import dataclass

from hw_support import failures


@dataclass(frozen=True)
class Part:
    """The outcome of one part: `message` is empty if it passed."""

    what: str
    points: float
    message: str

    @property
    def passed(self) -> bool:
        """Whether the part's points were earned."""
        return not self.message


class ChecksFailed(AssertionError):
    """A part has failed in nbgrader's validation, which reports only errors."""

    def _render_traceback_(self) -> list[str]:  # IPython shows these lines instead of a traceback
        return [str(self)]


class Tally:
    """The parts that were tried so far, of `points` in all, hidden parts included."""

    def __init__(self, name: str, points: float) -> None:
        self.name, self.points = name, points
        self.parts: list[Part] = []
        self.notes: list[str] = []  # remarks that cost no points

    def add(self, part: Part) -> None:
        """Add an outcome and print it, with a second line if the part failed."""
        self.parts.append(part)
        mark = "passed" if part.passed else "FAILED"
        failed = f"\n        {part.message}" if part.message else ""
        print(f"{mark}  {part.what} [{part.points:g} pt]{failed}")

    @property
    def quiet(self) -> bool:
        """Whether remarks are dropped: never here."""
        return False

    def note(self, text: str) -> None:
        """Print a remark that costs no points, once: ``note    <text>``.

        The text, a sentence on what you should look at, is cut after 1000 characters. ``python -m
        hw_support check`` lists the remarks; while there are any, it does not report that nothing
        is left to do. Remarks in a hidden part or in a second try are dropped.
        """
        line = failures.one_line(str(text))
        if line and line not in self.notes and not self.quiet:
            self.notes.append(line)
            print(f"note    {line}")

    def score(self) -> float | None:
        """Return the points earned, as the cell's last expression.

        It is None if all parts passed but this notebook lacks some; nbgrader then gives all points.
        A student's copy lacks the hidden parts, and a number below the total would look like a
        failure. `ChecksFailed` if a part has failed while nbgrader validates the notebook.
        """
        earned = sum(part.points for part in self.parts if part.passed)
        tried = sum(part.points for part in self.parts)
        failed = [part for part in self.parts if not part.passed]
        said = f"{self.name}: {earned:g} of {tried:g} points in this notebook."
        if tried < self.points:
            left = f"{self.points - tried:g}"
            said += f" Hidden parts, worth {left} more, run when your notebook is graded."
        print(said)
        if failed and os.environ.get("NBGRADER_EXECUTION") == "validate":
            lines = [f"{self.name}: {len(failed)} part{'s' if len(failed) > 1 else ''} failed"]
            lines += [f"  {part.what}: {part.message}" for part in failed]
            raise ChecksFailed("\n".join(lines))
        if not failed and (tried < self.points or self.points == 0):
            return None
        return float(earned)
