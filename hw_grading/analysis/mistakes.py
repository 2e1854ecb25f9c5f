"""What a class got wrong, as a table for a terminal, and the counts of named mistakes by term."""

import shutil
from collections import Counter
from collections.abc import Iterator

from hw_grading.analysis.report import clipped, fit
from hw_grading.gradebook.results import Results, read_results
from hw_grading.homework.course import Course
from hw_grading.mistakes.figures import Figures, QuestionFigures, figures_of
from hw_grading.mistakes.groups import Group, groups_of, mistakes_of
from hw_grading.mistakes.known import Mistake, read_mistakes, write_terms
from hw_grading.texts import aligned, counted, counted_points, in_digits, typed
from hw_support.submission.file import UserError
from hw_support.submission.problems import plain

SEVERAL = "may be several mistakes"
_WIDEST_TITLE = 40  # columns
_LONGEST_TERM, _LONGEST = 40, 1_000  # characters, of a term and of a message


def table(
    course: Course, assignment: str, *, everything: bool = False, width: int | None = None
) -> str:
    """Return the figures of a class and its groups by question, the largest first.

    With `everything`, groups of one student have lines too. Lines have at most `width` columns, by
    default the terminal's. The errors are those of `read_results` and `read_mistakes`.
    """
    results = read_results(course, assignment)
    width = width or shutil.get_terminal_size((100, 24)).columns
    groups = groups_of(results, read_mistakes(course.root, assignment))
    lines = [*_figures(figures_of(results))]
    for test, of_test in groups.items():
        lines += ["", f"{results.places[test]} ({test})"]
        lines += _groups(of_test, everything)
    if not groups:
        lines += ["", "No test took points for a known reason."]
    return "\n".join(clipped(line, width) for line in lines)


def _figures(found: Figures) -> Iterator[str]:
    total = found.total
    yield (
        f"{counted(found.students, 'student')}, {found.handed_in} submitted, {found.graded} graded"
    )
    if total.mean is not None and total.median is not None and total.spread is not None:
        what = "Total of the tests" if found.of_tests else "Total"
        yield (
            f"{what}: mean {total.mean:.2f} of {in_digits(total.most)}, median {total.median:.2f}, "
            f"spread {total.spread:.2f}"
        )
    rows = [["question", "answered", "mean", "of", "spread", "wait", "time limit"]]
    rows += [_row(question) for question in found.questions if question.points.most]
    yield ""
    for row in rows:
        row[0] = fit(row[0], _WIDEST_TITLE)
    yield from aligned(rows, right=1)


def _row(question: QuestionFigures) -> list[str]:
    points = question.points
    figures = [points.mean, points.spread]
    mean, spread = ("–" if figure is None else f"{figure:.2f}" for figure in figures)
    few = [question.waiting, question.timed_out]
    waiting, limit = (str(one) if one else "" for one in few)
    answered = str(question.answered)
    return [question.title, answered, mean, in_digits(points.most), spread, waiting, limit]


def _groups(groups: list[Group], everything: bool) -> Iterator[str]:
    shown = [group for group in groups if everything or len(group.lost) > 1]
    for group in shown:
        lost = counted_points(sum(group.lost.values()))
        several = f" ({SEVERAL})" if group.may_be_several else ""
        yield f"  {counted(len(group.lost), 'student')}, {lost} lost{several}"
        yield f"      {plain(group.message, _LONGEST)}"
        if group.sentence:
            yield f"      named: {group.sentence}"
        for pardon in group.pardons:
            yield f"      correction {pardon.key}: {pardon}"
    if rest := groups[len(shown) :]:
        lost = counted_points(sum(sum(group.lost.values()) for group in rest))
        alone = (
            f"{counted(len(rest), 'student')} with {'an answer' if len(rest) == 1 else 'answers'}"
        )
        alone += " unlike all others"
        yield f"  {alone}, {lost} lost"


def store_terms(course: Course, assignment: str, term: str) -> list[str]:
    """Write how many students had each named mistake in a term; return what was written."""
    if not term.strip() or len(term) > _LONGEST_TERM or not term.isprintable():
        raise UserError("expected a term such as 2026-fall: --store 2026-fall")
    mistakes = read_mistakes(course.root, assignment)
    counts = counts_of(read_results(course, assignment), mistakes)
    if not mistakes:
        desk = typed("hw-grading desk", assignment)
        return ["", f"No mistake has a name yet. To name some: {desk}"]
    write_terms(course.root, assignment, term, counts)
    return ["", f"The counts of {counted(len(counts), 'named mistake')} are stored for {term}."]


def counts_of(results: Results, mistakes: tuple[Mistake, ...]) -> list[tuple[Mistake, int]]:
    """Return how many students made each mistake; all mistakes are there."""
    told = Counter(
        (test, sentence)
        for result in results.handed_in
        for test, sentences in mistakes_of(result, mistakes).items()
        for sentence in set(sentences.values())
    )
    return [(mistake, told[mistake.test, mistake.sentence]) for mistake in mistakes]
