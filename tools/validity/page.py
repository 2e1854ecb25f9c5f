"""The page docs/validity.md: a section for each homework, and what tells whether it is current."""

import hashlib
import json
import re
from collections.abc import Iterable, Mapping

from tools.validity.answers import ROOT, homeworks
from tools.validity.measuring import Measured

PAGE = ROOT / "docs" / "validity.md"
_SECTION = re.compile(r"<!-- (\w+) (\w+) -->\n(.*?)(?=<!-- \w+ \w+ -->\n|\Z)", re.S)
_COMMENT = re.compile(r"^\s*(#.*)?\n", re.M)
_LONGEST = 160  # characters of a message

_HEAD = """\
<!-- Written by `make validity`; do not edit. -->
# How right the tests are

For each homework, answers are kept in `staff/<homework>/answers/`: wrong and right ones, and
submissions without knowledge. Of answers that are alike only one or two are kept, so the shares
below are shares of kinds of mistakes and of forms, not of students. `make validity` scores them by
the test cells of `source/<homework>/<homework>.ipynb`, each in the place of the instructor's
answer, with fresh random numbers for each seed, and writes this page; `make validity HW=hw2` renews
one section. [fairness.md](fairness.md) has the rules that are measured.

A wrong answer is **caught** if its own test cell takes points with every seed. A **mutant** is the
instructor's function with one node of the syntax tree changed; those that are as right as the
original are listed in `equivalent.py`, with reasons, and not counted.

"""


def write(measured: Mapping[str, Measured]) -> None:
    """Write the sections of these homeworks, and keep those of others."""
    there = _sections() | {name: (digest(name), section(name, m)) for name, m in measured.items()}
    parts = [f"<!-- {name} {there[name][0]} -->\n{there[name][1]}" for name in sorted(there)]
    PAGE.write_text(_HEAD + "".join(parts).rstrip("\n") + "\n", encoding="utf-8")


def out_of_date() -> list[str]:
    """Return the homeworks that the page does not describe as they are."""
    there = _sections()
    return [name for name in homeworks() if there.get(name, ("", ""))[0] != digest(name)]


def _sections() -> dict[str, tuple[str, str]]:
    text = PAGE.read_text(encoding="utf-8") if PAGE.is_file() else ""
    names = homeworks()
    return {n: (mark, body) for n, mark, body in _SECTION.findall(text) if n in names}


def digest(homework: str) -> str:
    """Return a digest of what determines a homework's section, without comments in Python files.

    It is the code cells of the notebook, ``staff/<homework>``, `hw_support` and this program.
    """
    notebook = ROOT / "source" / homework / f"{homework}.ipynb"
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    marked = [
        cell for cell in cells if cell["cell_type"] == "code" and "nbgrader" in cell["metadata"]
    ]
    parts = [json.dumps([cell["metadata"]["nbgrader"], "".join(cell["source"])]) for cell in marked]
    staff = ROOT / "staff" / homework
    files = [staff / "answers" / "validity.toml", *(staff / "answers").glob("*/*.py")]
    parts += [path.read_text(encoding="utf-8") for path in sorted(files)]
    code = staff, ROOT / "hw_support", ROOT / "tools" / "validity"
    modules = sorted(path for folder in code for path in folder.glob("*.py"))
    modules += [staff / "answers" / "equivalent.py"]
    parts += [_COMMENT.sub("", path.read_text(encoding="utf-8")) for path in modules]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]


def section(homework: str, found: Measured) -> str:
    """Return the section of one homework."""
    caught = found.wrong - len(found.missed) - len(found.limits)
    shown, killed = found.wrong - len(found.no_result), found.mutants - len(found.survivors)
    single, kept = shown - len(found.elsewhere), found.right - len({*found.refused, *found.unfair})
    judged = found.causes - len(found.not_judged)
    lines = [
        f"## {homework}",
        "",
        f"| {found.title} | |",
        "|---|---|",
        f"| wrong answers that are caught | {caught} of {found.wrong} |",
        f"| that cost points in one cell only | {single} of {shown} ({found.in_one_cell:.1%}) |",
        f"| right answers that lose nothing | {kept} of {found.right} |",
        f"| that a visible case refuses | {len(found.refused)} |",
        f"| that pass all visible cases and lose points in grading | {len(found.unfair)} |",
        f"| wrong mutants that are caught | {killed} of {found.mutants} |",
        f"| likely causes told of wrong answers, judged true | {judged} of {found.causes} |",
    ]
    if found.unearned:
        lines += ["", "| points without knowledge | earned | at most |", "|---|---|---|"]
    for answer, points in found.unearned:
        where = f" (in `{answer.test}`)" if answer.test else ""
        lines.append(f"| {answer.name}{where} | {points:g} | {answer.most:g} |")
    lines += _list("Not caught", found.missed)
    lines += _list("Not caught, a known limit", (": ".join(one) for one in found.limits.items()))
    lines += _list("Points in other cells too", (_losses(*one) for one in found.elsewhere.items()))
    lines += _list(
        "No result, so points where it is shown", (_losses(*one) for one in found.no_result.items())
    )
    lines += _list(
        "Right, and told so by a visible case", (_told(*one) for one in found.refused.items())
    )
    lines += _list(
        "Right, and points lost in grading", (_told(*one) for one in found.unfair.items())
    )
    lines += _list("Mutants that survive", (f"`{line}`" for line in found.survivors))
    lines += _list("Equivalent mutants that are caught or missing", found.not_equivalent)
    lines += _list("Likely causes that nobody has judged", found.not_judged)
    return "\n".join(lines) + "\n\n"


def _losses(name: str, lost: Mapping[str, float]) -> str:
    cells = ", ".join(f"{points:g} in `{test}`" for test, points in lost.items())
    return f"{name}: {cells or 'none'}"


def _told(name: str, messages: Mapping[str, str]) -> str:
    (part, message), *more = messages.items()
    cut = message[:_LONGEST] + ("…" if len(message) > _LONGEST else "")
    return f"{name}: *{part}*: `{cut.replace('`', '')}`" + (
        f" and {len(more)} more" if more else ""
    )


def _list(title: str, entries: Iterable[str]) -> list[str]:
    lines = [f"- {entry}" for entry in entries]
    return ["", f"**{title}**", "", *lines] if lines else []
