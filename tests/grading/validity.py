"""Measure how good the tests are, and write docs/validity.md.

    python tests/grading/validity.py [--seeds 50]

Every answer of the corpora and every mutant is scored by the notebook's own test cells. What the
page says is counted here; nothing in it is written by hand but the sentences around the numbers.
"""

from __future__ import annotations

import argparse
import hashlib
import re
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from answers import FOLDER, Answer, right_answers, whole_submissions, wrong_answers
from equivalent import EQUIVALENT
from guarded import judge
from harness import FUNCTIONS, ROOT, Verdict, charged, load_cells
from mutants import Mutant, all_mutants

PAGE = ROOT / "docs" / "validity.md"
TRAINING_SEEDS, WRONG_SEEDS = 5, 5
GROUPS = (*FUNCTIONS, "train", "whole")


@dataclass(frozen=True)
class Measured:
    """What test cells make of the answers to one function.

    Attributes
    ----------
    name : str
        The function; ``train``; or ``whole`` for whole submissions.
    wrong, right, mutants : list
        Each answer or mutant with its verdict.
    """

    name: str
    wrong: list[tuple[Answer, Verdict]]
    right: list[tuple[Answer, Verdict]]
    mutants: list[tuple[Mutant, Verdict]]

    @property
    def missed(self) -> list[Answer]:
        """Wrong answers that keep all points of their own cells in some run."""
        return [answer for answer, verdict in self.wrong if not verdict.caught]

    @property
    def losing(self) -> list[tuple[Answer, Verdict]]:
        """Right answers that lose a point somewhere in some run."""
        return [(answer, verdict) for answer, verdict in self.right if verdict.lost]

    @property
    def equivalent(self) -> dict[str, str]:
        """Keys of the mutants that are right answers, with reasons."""
        return EQUIVALENT.get(self.name, {})

    @property
    def killed(self) -> list[Mutant]:
        """Mutants that lose a point."""
        return [mutant for mutant, verdict in self.mutants if verdict.caught]

    @property
    def surviving(self) -> list[Mutant]:
        """Mutants that lose no point and are not known to be equivalent."""
        killed = {mutant.key for mutant in self.killed}
        return [m for m, _ in self.mutants if m.key not in killed | self.equivalent.keys()]

    def lost_elsewhere(
        self, *, in_functions: bool, usable: bool
    ) -> Iterator[tuple[Answer, dict[str, float]]]:
        """Yield wrong answers that lose points elsewhere, and how many in which cell.

        Parameters
        ----------
        in_functions
            In cells of other functions, or else in those of deliverables.
        usable
            Of answers that return something usable, or else of the others.
        """
        for answer, verdict in self.wrong:
            lost = {
                test: points
                for test, points in verdict.lost_elsewhere.items()
                if (charged(test) in FUNCTIONS) == in_functions
            }
            if lost and answer.no_value != usable:
                yield answer, lost


def measure(
    names: Iterable[str] = GROUPS,
    *,
    right_seeds: Sequence[int],
    wrong_seeds: Sequence[int],
    training_seeds: Sequence[int],
    isolated: bool = False,
) -> Iterator[Measured]:
    """Score all answers to these functions, and their mutants.

    Parameters
    ----------
    names
        Functions, ``train``, ``whole``.
    right_seeds, wrong_seeds, training_seeds
        One run for each.
    isolated
        Whether tests run in another process than answers, as they do in grading. Mutants, which are
        many, are left out then.
    """
    for name in names:
        training = name == "train"
        wrong = [answer for answer in wrong_answers() if answer.function == name]
        right = [a for a in (*right_answers(), *whole_submissions()) if a.function == name]
        mutants = all_mutants([name]) if name in FUNCTIONS and not isolated else []
        yield Measured(
            name,
            list(judge(wrong, training_seeds[:1] if training else wrong_seeds, isolated=isolated)),
            list(judge(right, training_seeds if training else right_seeds, isolated=isolated)),
            list(judge(mutants, wrong_seeds[:1], tests="own", isolated=isolated)),
        )


# -- the page


def digest() -> str:
    """Return a digest of everything that determines the page."""
    total = hashlib.sha256()
    for cell in load_cells().values():
        total.update(f"{cell.id} {cell.points}\n{cell.source}\n".encode())
    here = ROOT / "tests" / "grading"
    own = ("harness.py", "guarded.py", "isolated.py", "mutants.py", "equivalent.py", "validity.py")
    across = [*(ROOT / "hw_grading" / "inside").glob("*.py"), *_EXAMINER]
    files = [
        *_modules(),
        *sorted(across),
        *(here / name for name in own),
        *sorted(FOLDER.glob("*/*.py")),
    ]
    for path in files:
        total.update(f"{path.name}\n{path.read_text(encoding='utf-8')}\n".encode())
    return total.hexdigest()


def _modules() -> list[Path]:
    """Return the modules of both packages that test cells use, found by their imports."""
    texts = [cell.source for cell in load_cells().values() if cell.is_test]
    found = {ROOT / "hw_support" / "checks.py", ROOT / "hw_support" / "compare.py"}
    texts += [path.read_text(encoding="utf-8") for path in sorted(found)]
    while texts:
        for package, module, names in _IMPORT.findall(texts.pop()):
            for name in [module] if module else re.findall(r"\w+", names):
                path = ROOT / package / f"{name}.py"
                if path.is_file() and path not in found:
                    found.add(path)
                    texts.append(path.read_text(encoding="utf-8"))
    return sorted(found)


_IMPORT = re.compile(r"^ *from (hw_support|hw_grading)(?:\.(\w+))? import (.+)$", re.M)


_EXAMINER = [ROOT / "hw_grading" / "examiner" / name for name in ("names.py", "session.py")]


def page(measured: Sequence[Measured], isolated: Sequence[Measured], seeds: int) -> str:
    """Return the whole page."""
    parts = [
        _HEAD.format(digest=digest()),
        _goals(measured, seeds),
        _isolated(isolated),
        _by_function(measured),
        _elsewhere(measured),
        _mutants(measured),
        _corpora(measured),
    ]
    return "\n".join(parts)


_HEAD = """\
<!-- Written by `make validity`; do not edit. What determines it: sha256 {digest} -->
# How good the tests are

A test cell is worth as much as the wrong answers that it catches and the right ones that it lets
through. So answers of both kinds are kept in `tests/grading/answers/`, all of them are scored by
the test cells of `source/hw2/hw2.ipynb`, and this page counts. `make validity` writes it anew; a
test fails when it is out of date.

A wrong answer is put in the place of the instructor's function; all others stay as they are. It
is **caught** when its own test cells take at least one point, in every run. Each run draws new
random inputs, from another seed. A right answer must keep all points of all cells in all runs.
"""


def _goals(measured: Sequence[Measured], seeds: int) -> str:
    wrong = [answer for m in measured for answer, _ in m.wrong]
    missed = [answer for m in measured for answer in m.missed]
    counts = Counter(answer.function for answer in wrong)
    fewest = min(counts[m.name] for m in measured if m.name != "whole")
    right, losing = sum(len(m.right) for m in measured), sum(len(m.losing) for m in measured)
    mutants = sum(len(m.mutants) for m in measured)
    equivalent = sum(len(m.equivalent) for m in measured)
    killed = sum(len(m.killed) for m in measured)
    share = killed / max(1, mutants - equivalent)
    elsewhere = [x for m in measured for x in m.lost_elsewhere(in_functions=True, usable=True)]
    training = next((len(m.right) for m in measured if m.name == "train"), 0)
    rows = [
        ("60 wrong answers by hand, 5 for each function", f"{len(wrong)}, at least {fewest}",
         len(wrong) >= 60 and fewest >= 5),
        ("each of them is caught in its own cells", f"{len(wrong) - len(missed)} of {len(wrong)}",
         not missed),
        ("they lose no points in other functions' cells, if they return anything usable",
         f"{len(elsewhere)} do", not elsewhere),
        ("40 right answers in other forms", f"{right}", right >= 40),
        (f"none of them loses a point in {seeds} runs¹", f"{losing} do", not losing),
        ("200 automatic mutants", f"{mutants}", mutants >= 200),
        ("at least 99 % of those that are not equivalent are caught",
         f"{killed} of {mutants - equivalent}: {share:.1%}", share >= 0.99),
    ]  # fmt: skip
    lines = ["## Goals\n", "| goal | measured | met |", "|---|---|---|"]
    lines += [f"| {goal} | {value} | {'yes' if met else '**no**'} |" for goal, value, met in rows]
    undelivered = [x for m in measured for x in m.lost_elsewhere(in_functions=False, usable=True)]
    lines.append(
        f"\n{len(undelivered)} wrong answers lose points in Q1.3 as well, for what could not be "
        "computed with them; they are listed below."
        f"\n\n¹ The {training} right training cells are run with {min(seeds, TRAINING_SEEDS)} "
        "seeds: a training takes seconds. Wrong answers are run with "
        f"{min(seeds, WRONG_SEEDS)} seeds, wrong training cells and mutants with one.\n"
    )
    return "\n".join(lines)


def _isolated(measured: Sequence[Measured]) -> str:
    wrong, missed = sum(len(m.wrong) for m in measured), sum(len(m.missed) for m in measured)
    right, losing = sum(len(m.right) for m in measured), sum(len(m.losing) for m in measured)
    twice = [x for m in measured for x in m.lost_elsewhere(in_functions=True, usable=True)]
    yes = "**no**" if missed or losing or twice else "yes"
    return (
        "## In isolation\n\n"
        "The figures above and below are of tests that run in one process with the answers, as on "
        "a student's desk. In grading the tests run in another process and ask the notebook for "
        "values. The same answers, scored that way:\n\n"
        "| wrong, caught | right, lose a point | charged in other functions | as good |\n"
        "|---|---|---|---|\n"
        f"| {wrong - missed} of {wrong} | {losing} of {right} | {len(twice)} | {yes} |\n\n"
        "Each is run once; mutants and training are left out.\n"
    )


def _by_function(measured: Sequence[Measured]) -> str:
    lines = [
        "## By function\n",
        "| function | wrong | caught | points lost in other functions | right | lose a point "
        "| mutants | equivalent | caught | left |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    for m in measured:
        elsewhere = m.lost_elsewhere(in_functions=True, usable=True)
        lost = sum(points for _, cells in elsewhere for points in cells.values())
        row = [_title(m.name)]
        row += [len(m.wrong), len(m.wrong) - len(m.missed), f"{lost:g}"] if m.wrong else ["–"] * 3
        row += [len(m.right), len(m.losing)]
        row += (
            [len(m.mutants), len(m.equivalent), len(m.killed), len(m.surviving)]
            if m.mutants
            else ["–"] * 4
        )
        lines.append("| " + " | ".join(map(str, row)) + " |")
    for m in measured:
        for answer in m.missed:
            lines.append(f"\nNot caught: {_title(m.name)}, {answer.name}.")
        for answer, verdict in m.losing:
            lines.append(f"\nRight, and loses: {_title(m.name)}, {answer.name}: "
                         f"{_cells(verdict.lost)}.")  # fmt: skip
    return "\n".join(lines) + "\n"


def _elsewhere(measured: Sequence[Measured]) -> str:
    return "\n".join(
        [
            "## Points lost in other cells\n",
            "A function is tested with right stand-ins for what it calls, so a bug costs points "
            "where it is. What is left is listed here.\n",
            "**Nothing usable.** The function raises, or returns nothing that another one could "
            "take. What reads its results, or its caches, cannot be tried.\n",
            _losses(measured, in_functions=True, usable=False),
            "**Not delivered.** The questions of Q1.3 are answered with the student's own "
            "functions, and compared with what those return. An answer that could not be computed "
            "with them is not there to be compared.\n",
            _losses(measured, in_functions=False, usable=True),
            "The same, of functions that return nothing usable:\n",
            _losses(measured, in_functions=False, usable=False),
            "**Charged twice.** Points lost in other functions' cells though something usable "
            "came back:\n",
            _losses(measured, in_functions=True, usable=True),
        ]
    )


def _losses(measured: Sequence[Measured], *, in_functions: bool, usable: bool) -> str:
    rows = [
        f"| {_title(m.name)} | {answer.name} | {_cells(lost)} |"
        for m in measured
        for answer, lost in m.lost_elsewhere(in_functions=in_functions, usable=usable)
    ]
    if not rows:
        return "None.\n"
    return "\n".join(["| function | mistake | loses |", "|---|---|---|", *rows, ""])


def _mutants(measured: Sequence[Measured]) -> str:
    operators = Counter(mutant.operator for m in measured for mutant, _ in m.mutants)
    counted = ", ".join(f"{name} {count}" for name, count in operators.most_common())
    lines = [
        "## Mutants\n",
        "Each is the instructor's function with one node of the syntax tree changed: another "
        "operator, constant, comparison, axis or sign, a statement dropped, arguments swapped. "
        f"By kind: {counted}.\n",
        "**Equivalent**, that is, as right as the original:\n",
        "| function | reads then | why it is right |",
        "|---|---|---|",
    ]
    for m in measured:
        lines += [f"| {_title(m.name)} | {_code(k)} | {why} |" for k, why in m.equivalent.items()]
    lines.append("\n**Surviving**, though they are wrong:\n")
    left = [(m.name, mutant) for m in measured for mutant in m.surviving]
    lines += [f"- {_title(name)}: {_code(mutant.key)}" for name, mutant in left] or ["None."]
    return "\n".join(lines) + "\n"


def _corpora(measured: Sequence[Measured]) -> str:
    lines = ["## The answers\n"]
    for m in measured:
        lines.append(f"### {_title(m.name)}\n")
        if m.wrong:
            lines += ["| wrong | loses in its own cells |", "|---|---|"]
            for answer, verdict in m.wrong:
                lines.append(f"| {answer.name} | {_own_loss(verdict)} |")
            lines.append("")
        lines += ["Right: " + "; ".join(answer.name for answer, _ in m.right) + ".\n"]
    return "\n".join(lines)


def _own_loss(verdict: Verdict) -> str:
    first = verdict.runs[0]
    points = sum(first[test].points for test in verdict.own_tests)
    lost = sorted({sum(run[test].lost for test in verdict.own_tests) for run in verdict.runs})
    span = f"{lost[0]:g}" if len(lost) == 1 else f"{lost[0]:g} to {lost[-1]:g}"
    return f"{span} of {points:g}"


def _title(name: str) -> str:
    return "whole submissions" if name == "whole" else f"`{name}`"


def _cells(lost: dict[str, float]) -> str:
    return ", ".join(f"{points:g} in `{test}`" for test, points in lost.items())


def _code(text: str) -> str:
    return "`" + text.replace("|", "\\|") + "`"


def main(arguments: Sequence[str]) -> None:
    """Measure and write the page."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--seeds", type=int, default=50, help="runs of each right answer")
    seeds = parser.parse_args(arguments).seeds
    measured = told(
        measure(
            right_seeds=range(seeds),
            wrong_seeds=range(min(seeds, WRONG_SEEDS)),
            training_seeds=range(min(seeds, TRAINING_SEEDS)),
        )
    )
    once, names = range(1), [*FUNCTIONS, "whole"]
    isolated = told(
        measure(names, right_seeds=once, wrong_seeds=once, training_seeds=once, isolated=True)
    )
    PAGE.write_text(page(measured, isolated, seeds), encoding="utf-8")


def told(measuring: Iterable[Measured]) -> list[Measured]:
    """Say how far it is, and return all."""
    measured = []
    for one in measuring:
        measured.append(one)
        print(
            f"{one.name}: {len(one.wrong)} wrong ({len(one.missed)} missed), "
            f"{len(one.right)} right ({len(one.losing)} lose), "
            f"{len(one.mutants)} mutants ({len(one.surviving)} left)",
            file=sys.stderr,
            flush=True,
        )
    return measured


if __name__ == "__main__":
    main(sys.argv[1:])
