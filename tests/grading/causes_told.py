"""Count the likely causes that tests report for wrong answers, and how many of them are true.

    python tests/grading/causes_told.py [homework ...]

prints those that nobody has judged, as lines for ``staff/<homework>/answers/validity.toml``. There
a table ``[causes.f]`` holds, for wrong answers to `f`, words of the causes that are true of them;
``[false_causes.f]`` those that are false.
"""

import json
import re
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from answers import Answer, wrong_answers
from cells import Notebook, homeworks, notebook_of
from guarded import judge
from harness import Verdict
from settings import Settings

_CAUSE = re.compile(r"Likely cause: (.+)$")


@dataclass(frozen=True)
class Told:
    """The likely causes that tests report for an answer, sorted by how somebody judged them."""

    answer: Answer
    true: tuple[str, ...]
    false: tuple[str, ...]
    not_judged: tuple[str, ...]


def causes_told(notebook: Notebook, functions: Iterable[str], seeds: Sequence[int]) -> list[Told]:
    """Run wrong answers to functions with their own tests, and return the causes that these report.

    Nothing is cached, because cached verdicts have no messages.
    """
    wanted = {*functions}
    wrong = [answer for answer in wrong_answers(notebook.homework) if answer.function in wanted]
    judged = judge(notebook, wrong, seeds, tests="own")
    return [told_of(answer, verdict, notebook.settings) for answer, verdict in judged]


def told_of(answer: Answer, verdict: Verdict, settings: Settings) -> Told:
    """Return the causes that an answer's own tests reported."""
    own = [run[test] for run in verdict.runs for test in verdict.own_tests if test in run]
    parts = [part for result in own for part in result.parts]
    found = {match[1] for part in parts if (match := _CAUSE.search(part.message))}
    true, false = labels(settings.causes, answer), labels(settings.false_causes, answer)
    by_label: dict[str, list[str]] = {"true": [], "false": [], "not_judged": []}
    for cause in sorted(found):
        kinds = ("false" if any(words in cause for words in false) else "",
                 "true" if any(words in cause for words in true) else "")  # fmt: skip
        by_label[next(filter(None, kinds), "not_judged")].append(cause)
    return Told(answer, **{kind: tuple(causes) for kind, causes in by_label.items()})


def labels(table: Settings.Labels, answer: Answer) -> list[str]:
    """Return the words that a table of the settings has for an answer's causes."""
    words = table.get(answer.function, {}).get(answer.name, [])
    return [words] if isinstance(words, str) else list(words)


def labels_of_no_answer(notebook: Notebook) -> list[str]:
    """Return the labels whose answer no longer exists."""
    there = {(answer.function, answer.name) for answer in wrong_answers(notebook.homework)}
    tables = (notebook.settings.causes, notebook.settings.false_causes)
    named = [(f, name) for table in tables for f, names in table.items() for name in names]
    return [f"{function}: {name}" for function, name in named if (function, name) not in there]


def main(names: Sequence[str]) -> None:
    """Print the causes that somebody has to judge."""
    for homework in names or homeworks():
        notebook, function = notebook_of(homework), ""
        for told in causes_told(notebook, notebook.functions, range(2)):
            if told.not_judged and told.answer.function != function:
                function = told.answer.function
                print(f"\n[causes.{function}]")
            if told.not_judged:
                causes = told.not_judged if len(told.not_judged) > 1 else told.not_judged[0]
                name = json.dumps(told.answer.name, ensure_ascii=False)
                print(f"{name} = {json.dumps(causes, ensure_ascii=False)}")


if __name__ == "__main__":
    main(sys.argv[1:])
