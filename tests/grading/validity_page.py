"""The pages: docs/validity.md, and docs/validity/<homework>.md for each homework."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence

from answers import Answer
from causes_told import Told
from cells import Notebook
from guarded import COSTLY_RUNS
from harness import Verdict
from measuring import Measured, Seeds
from promises import promises
from validity_digests import page_of

_EACH = {"wrong": 5, "right": 4, "mutants": 10}  # for each function, where no other goal is set


# -- the overview

_TOTALS = ("| homework | wrong answers | caught | right answers | lose a point "
           "| mutants that are wrong | caught | goals |")  # fmt: skip


def overview() -> str:
    """Return the overview, made from the existing pages."""
    rows = []
    for path in sorted(page_of().with_suffix("").glob("*.md")):
        row = re.search(rf"^\| {path.stem} (\|.*)$", path.read_text(encoding="utf-8"), re.M)
        if row:
            rows.append(f"| [{path.stem}](validity/{path.name}) {row[1]}")
    return _OVERVIEW.format(rows="\n".join([_TOTALS, "|---" * 8 + "|", *rows]))


_OVERVIEW = """\
<!-- Written by `make validity`; do not edit. -->
# How good the tests are

A test cell is worth as much as the wrong answers that it catches and the right ones that it lets
through. So answers of both kinds are kept for each homework, in `staff/<homework>/answers/`. All of
them are scored by the test cells of `source/<homework>/<homework>.ipynb`, and counted:

{rows}

## How it is measured

- **A wrong answer** replaces the instructor's answer; all others stay as they are. It is **caught**
  if its own test cells take points in every run. Other cells must take no points.
- **A right answer** must keep all points of all cells in all runs.
- **A mutant** is the instructor's function with one node of the syntax tree changed: another
  operator, constant, comparison, axis or sign, a removed statement, swapped arguments. Some mutants
  are as right as the original; they are listed with the reason.

Each run draws new random inputs, from another seed. Tests run in one process with the answers, as
on a student's machine, and also as in grading: in another process, which asks the notebook for
values.

## How to renew it

`make validity` writes all pages anew, `make validity HW=hw2` one of them. A test fails when a page
is out of date, and says what has changed. A page depends on what answers and test cells do, on the
points of test cells, and on the modules that they import. It does not depend on text, comments, the
due date, mark schemes or questions that a person grades.

Verdicts are cached in `.validity_cache/`, under a digest of everything that determines them. So
only what has changed is measured:

- If a test cell changes, only that cell runs, on all answers.
- If an answer changes, only that answer is tested.
- If only the points of parts change, nothing runs.
- If an instructor's solution or a module changes, everything that uses it is measured again.

Without that folder, or with `--anew`, everything is measured. This takes minutes.

## What is set for each homework

| in `staff/<homework>/answers/` | |
|---|---|
| `right/`, `wrong/` | a file for each question; each answer stands below a line `# %% name` |
| `whole/` | right submissions by one hand |
| `equivalent.py` | mutants that are right, and why |
| `validity.toml` | answers that take seconds, functions with caches of the student's own, goals, \
which likely causes are true |

All else is read from the notebook: an answer cell that defines a function of its own name is a
function, and the test cell `test_f` charges the answer `f`.
"""


# -- the page of a homework


def page(
    notebook: Notebook,
    measured: Sequence[Measured],
    isolated: Sequence[Measured],
    seeds: Seeds,
    determined_by: Mapping[str, str],
    causes: Sequence[Told],
) -> str:
    """Return the page of a homework; `determined_by` are its digests when measuring began."""
    goals = [*_goals(notebook, measured, seeds), _goal_of_causes(causes)]
    parts = [
        _head(notebook, determined_by),
        _totals(notebook, measured, goals),
        _goals_table(notebook, measured, goals, seeds),
        _isolated(isolated),
        _causes(causes),
        _by_function(measured),
        _charges(measured),
        _promises(notebook),
        _mutants(measured),
        _corpora(measured),
    ]
    return "\n".join(parts)


def _head(notebook: Notebook, determined_by: Mapping[str, str]) -> str:
    name = notebook.homework
    lines = "\n".join(f"{what} {value}" for what, value in determined_by.items())
    return (
        f"<!-- Written by `make validity HW={name}`; do not edit. What determines it:\n"
        f"{lines}\n-->\n"
        f"# How good the tests of {name} are\n\n"
        f"Answers lie in `staff/{name}/answers/`, test cells in `source/{name}/{name}.ipynb`. "
        "What is measured, and how, is told in the [overview](../validity.md).\n"
    )


Goal = tuple[str, str, bool]  # what is wanted, what was measured, whether it is met


def _goals(notebook: Notebook, measured: Sequence[Measured], seeds: Seeds) -> list[Goal]:
    wanted = {kind: count * len(notebook.functions) for kind, count in _EACH.items()}
    wanted.update(notebook.settings.goals)
    wrong = sum(len(m.wrong) for m in measured)
    missed = sum(len(m.missed) for m in measured)
    fewest = min(len(m.wrong) for m in measured if m.name in (*notebook.functions, *notebook.slow))
    right, losing = sum(len(m.right) for m in measured), sum(len(m.losing) for m in measured)
    mutants, different, killed = _counted_mutants(measured)
    share = killed / max(1, different)
    elsewhere = len(_lost_elsewhere(measured))
    note = "¹" if notebook.slow else ""
    return [
        (f"{wanted['wrong']} wrong answers by hand, 5 for each function",
         f"{wrong}, at least {fewest}", wrong >= wanted["wrong"] and fewest >= 5),
        ("each of them is caught in its own cells", f"{wrong - missed} of {wrong}", not missed),
        ("they lose no points in any other cell of the notebook",
         f"{elsewhere} do", not elsewhere),
        (f"{wanted['right']} right answers in other forms", f"{right}", right >= wanted["right"]),
        (f"none of them loses a point in {seeds.right} runs{note}", f"{losing} do", not losing),
        (f"{wanted['mutants']} automatic mutants", f"{mutants}", mutants >= wanted["mutants"]),
        ("at least 99 % of those that are not equivalent are caught",
         f"{killed} of {different}: {share:.1%}", share >= 0.99),
    ]  # fmt: skip


def _counted_mutants(measured: Sequence[Measured]) -> tuple[int, int, int]:
    """Return how many mutants there are, how many of them are wrong, and how many are caught."""
    mutants = sum(len(m.mutants) for m in measured)
    equivalent = sum(len(m.equivalent) for m in measured)
    return mutants, mutants - equivalent, sum(len(m.killed) for m in measured)


def _totals(notebook: Notebook, measured: Sequence[Measured], goals: Sequence[Goal]) -> str:
    wrong, missed = sum(len(m.wrong) for m in measured), sum(len(m.missed) for m in measured)
    right, losing = sum(len(m.right) for m in measured), sum(len(m.losing) for m in measured)
    _, different, killed = _counted_mutants(measured)
    met = [is_met for _, _, is_met in goals]
    verdict = f"all {len(met)} met" if all(met) else f"**{sum(met)} of {len(met)} met**"
    row = (notebook.homework, wrong, wrong - missed, right, losing, different, killed, verdict)
    return "\n".join([_TOTALS, "|---" * 8 + "|", f"| {' | '.join(map(str, row))} |", ""])


def _goals_table(
    notebook: Notebook, measured: Sequence[Measured], goals: Sequence[Goal], seeds: Seeds
) -> str:
    lines = ["## Goals\n", "| goal | measured | met |", "|---|---|---|"]
    lines += [f"| {goal} | {value} | {'yes' if met else '**no**'} |" for goal, value, met in goals]
    lines.append("")
    if costly := notebook.settings.costly:
        lines.append(
            f"Test cells of {', '.join(map(_title, costly))} take about a second. They are run "
            f"with {min(seeds.right, COSTLY_RUNS)} seeds on answers to that question, and with one "
            "on all others.\n"
        )
    if notebook.slow:
        count = sum(len(m.right) for m in measured if m.name in notebook.slow)
        names = ", ".join(map(_title, notebook.slow))
        lines.append(
            f"¹ The {count} right answers to {names} are run with {seeds.slow} seeds: one run "
            f"takes seconds. Wrong answers are run with {seeds.wrong} seeds, wrong ones to {names} "
            "and mutants with one.\n"
        )
    else:
        lines.append(f"Wrong answers are run with {seeds.wrong} seeds, mutants with one.\n")
    return "\n".join(lines)


def _isolated(measured: Sequence[Measured]) -> str:
    wrong, missed = sum(len(m.wrong) for m in measured), sum(len(m.missed) for m in measured)
    right, losing = sum(len(m.right) for m in measured), sum(len(m.losing) for m in measured)
    twice = _lost_elsewhere(measured)
    yes = "**no**" if missed or losing or twice else "yes"
    return (
        "## In isolation\n\n"
        "The figures above and below are of tests that run in one process with the answers, as on "
        "a student's desk. In grading the tests run in another process and ask the notebook for "
        "values. The same answers, scored that way:\n\n"
        "| wrong, caught | right, lose a point | charged in other cells | as good |\n"
        "|---|---|---|---|\n"
        f"| {wrong - missed} of {wrong} | {losing} of {right} | {len(twice)} | {yes} |\n\n"
        "Each is run once; mutants and answers that take seconds are left out.\n"
    )


def _goal_of_causes(causes: Sequence[Told]) -> Goal:
    false = sum(bool(told.false or told.not_judged) for told in causes)
    return "no likely cause that a message names is false", f"{false} are", not false


def _causes(causes: Sequence[Told]) -> str:
    counts = [sum(bool(told.true) for told in causes)]
    counts.append(sum(bool(told.false) for told in causes))
    counts.append(sum(bool(told.not_judged) for told in causes))
    counts.append(sum(not (told.true or told.false or told.not_judged) for told in causes))
    wrong = [
        f"- {_title(told.answer.function)}, {told.answer.name}: {cause}"
        for told in causes
        for cause in (*told.false, *told.not_judged)
    ]
    return (
        "## Likely causes\n\n"
        "Where a result is wrong, a message may name a likely cause. Whether it is the true one is "
        "judged by hand, in `validity.toml`. Of the wrong answers to functions:\n\n"
        "| told a true one | told a false one | told one that nobody has judged | told none |\n"
        "|---|---|---|---|\n"
        f"| {' | '.join(map(str, counts))} |\n" + "".join(f"\n{line}" for line in wrong)
    )


def _by_function(measured: Sequence[Measured]) -> str:
    lines = [
        "## By function\n",
        "| function | wrong | caught | points lost in other cells | right | lose a point "
        "| mutants | equivalent | caught | left |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    for m in measured:
        elsewhere = m.lost_elsewhere()
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


Charge = tuple[str, Answer, dict[str, float]]  # a function, a wrong answer, what it loses elsewhere


def _lost_elsewhere(measured: Sequence[Measured]) -> list[Charge]:
    """Return the wrong answers that lose points in cells of other functions or of questions."""
    return [(m.name, answer, lost) for m in measured for answer, lost in m.lost_elsewhere()]


def _charges(measured: Sequence[Measured]) -> str:
    """Describe the points that wrong answers lose, in their own cells and in all others."""
    lines = [
        "## Charges over whole notebooks\n",
        "A part that fails with the student's own functions is tried again with right ones in the "
        "place of those that it calls, and the better result counts. So one mistake is charged in "
        "one place. Each wrong answer stands in a notebook that is right otherwise:\n",
        "| function | points | a wrong answer loses, at least | in the median | at most "
        "| in other cells, at most |",
        "|---|---|---|---|---|---|",
    ]
    for m in measured:
        if not m.wrong:
            continue
        own = sorted(sum(verdict.lost.values()) for _, verdict in m.wrong)
        elsewhere = [sum(lost.values()) for _, lost in m.lost_elsewhere()]
        row = [f"{x:g}" for x in (own[0], own[len(own) // 2], own[-1], max(elsewhere, default=0))]
        lines.append(f"| {_title(m.name)} | {m.points:g} | {' | '.join(row)} |")
    charged = [
        f"- {_title(name)}, {answer.name}: {_cells(lost)}."
        for name, answer, lost in _lost_elsewhere(measured)
    ]
    none = [
        f"- {_title(m.name)}, {answer.name}: {_cells(verdict.lost_elsewhere)}."
        for m in measured
        for answer, verdict in m.wrong
        if m.notebook.settings.is_no_answer(answer)
    ]
    if none:
        charged += [
            "These give nothing, or the same number everywhere. That is no answer, and what shows "
            "their results earns nothing; they are not counted above:\n",
            *none,
        ]
    return "\n".join([*lines, "", *charged, ""])


def _promises(notebook: Notebook) -> str:
    """Describe hidden parts: the words that ask for what they check, and their visible twins."""
    lines = [
        "## What hidden parts look at\n",
        "Each hidden part names the words of the released notebook that promise what it looks at, "
        "and a visible part of the same cell that tries it.\n",
        "| hidden part | points | promise | visible part |",
        "|---|---|---|---|",
    ]
    for hidden in promises(notebook.homework):
        cells = (
            f"`{hidden.cell}`: {hidden.part}",
            f"{hidden.points:g}",
            hidden.promise,
            hidden.twin,
        )
        lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return "\n".join([*lines, ""])


def _mutants(measured: Sequence[Measured]) -> str:
    operators = Counter(mutant.operator for m in measured for mutant, _ in m.mutants)
    counted = ", ".join(f"{name} {count}" for name, count in operators.most_common())
    lines = [f"## Mutants\n\nBy kind of change: {counted}.\n"]
    equivalent = [(m.name, key, why) for m in measured for key, why in m.equivalent.items()]
    lines.append("**Equivalent**, that is, as right as the original:\n")
    if equivalent:
        lines += ["| function | reads then | why it is right |", "|---|---|---|"]
        lines += [f"| {_title(name)} | {_code(key)} | {why} |" for name, key, why in equivalent]
    else:
        lines.append("None.")
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
    tried = [run for run in verdict.runs if set(verdict.own_tests) <= run.keys()]
    lost = sorted({sum(run[test].lost for test in verdict.own_tests) for run in tried})
    span = f"{lost[0]:g}" if len(lost) == 1 else f"{lost[0]:g} to {lost[-1]:g}"
    return f"{span} of {points:g}"


def _title(name: str) -> str:
    return "whole submissions" if name == "whole" else f"`{name}`"


def _cells(lost: dict[str, float]) -> str:
    return ", ".join(f"{points:g} in `{test}`" for test, points in lost.items())


def _code(text: str) -> str:
    return "`" + text.replace("|", "\\|") + "`"
