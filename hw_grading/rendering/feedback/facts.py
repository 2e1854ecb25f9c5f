"""The facts about one student's homework that are not in the notebook, and their wording."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from markupsafe import Markup

from hw_grading.gradebook.questions import Places
from hw_grading.gradebook.results import Result
from hw_grading.gradebook.scores import Cell, Score, Student, in_digits, signed
from hw_grading.rendering.markdown import comment_markdown

_NUMBER = r"[0-9]+(?:\.[0-9]+)?"
# A sign or two spaces are required: "3 errors" is not an item.
_ITEM = re.compile(rf"([+\-\N{{MINUS SIGN}}]{_NUMBER}(?=[ \t])|{_NUMBER}(?=[ \t]{{2}}))\s+(\S.*)")
_MOST_ITEMS = 100
_NOTHING = Result(Student("", "", "", ""))


@dataclass(frozen=True)
class Points:
    """The points of one or several cells in words, and their state, a class of `page.css`."""

    words: str
    state: str


@dataclass(frozen=True)
class Facts:
    """The facts about one student's homework that are not in the notebook."""

    student: str = ""
    homework: str = ""
    cells: tuple[Cell, ...] = ()  # all cells with points, in the notebook's order
    most: float = 0.0  # the total points that count
    result: Result = _NOTHING
    comments: Mapping[str, str] = field(default_factory=dict)  # the graders' comments, by grade id
    # by grade id, in the order of the instructor's notebook
    places: Places = field(default_factory=Places)
    instructors: frozenset[str] = frozenset()  # the stripped texts of the instructor's cells

    @property
    def scores(self) -> dict[str, Score]:
        """The scores by grade id; one that the gradebook lacks is open."""
        none = {cell.name: Score(cell) for cell in self.cells}
        return none | {score.cell.name: score for score in self.result.known.scores}

    @property
    def dropped(self) -> frozenset[str]:
        """Grade ids of the cells that a correction dropped."""
        return frozenset(one.cell for one in self.result.corrections if one.drops)

    def points(self, scores: Sequence[Score]) -> Points | None:
        """Return the points of some cells in words, with corrections; None if they have none."""
        scores = [score for score in scores if score.cell.max_points or score.points]
        kept = [score for score in scores if score.cell.name not in self.dropped]
        if not kept:
            return Points("does not count", "open") if scores else None
        names = {score.cell.name for score in kept}
        corrected = sum(one.points for one in self.result.corrections if one.cell in names)
        change = f"corrected by {signed(corrected)}" if corrected else ""
        most = sum(score.cell.max_points for score in kept)
        still = [score for score in kept if score.is_open]
        if len(still) == len(kept):
            why = "not graded yet" if any(score.cell.by_hand for score in still) else "no score yet"
            of = ", ".join(filter(None, [f"of {in_digits(most)}", change]))
            return Points(f"{why} ({of})", "open")
        given = sum(score.points for score in kept) + corrected
        words = f"{in_digits(given)} of {in_digits(most)}"
        if change:
            words += f" ({change})"
        if extra := sum(score.extra for score in kept):
            words += f" (extra credit {in_digits(extra)})"
        if still:
            waiting = in_digits(sum(score.cell.max_points for score in still))
            return Points(f"{words}, {waiting} not graded yet", "open")
        return Points(words, "full" if given >= most else "some" if given > 0 else "none")


@dataclass(frozen=True)
class Remark:
    """A grader's comment: items of a rubric with their points, and a text."""

    items: tuple[tuple[str, Markup], ...]
    text: Markup


def remark_of(text: str, markdown: Callable[[str], Markup]) -> Remark:
    """Parse a grader's comment: lines such as ``+1  names the cache``, then a text."""
    items: list[tuple[str, list[str]]] = []
    lines = text.strip().splitlines()
    while lines and lines[0].strip() and len(items) < _MOST_ITEMS:
        if item := _ITEM.fullmatch(lines[0].strip()):
            items.append((item[1].replace("-", "\N{MINUS SIGN}"), [item[2]]))
        elif items:
            items[-1][1].append(lines[0])  # an item may have several lines
        else:
            break
        del lines[0]
    rest = "\n".join(lines).strip()
    texts = tuple((points, markdown(comment_markdown("\n".join(words)))) for points, words in items)
    return Remark(texts, markdown(comment_markdown(rest)) if rest else Markup())
