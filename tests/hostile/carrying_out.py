"""Carries out the attacks in `attacks/`, and compares their outcomes with their headers."""

import re
from typing import Any

import nbformat
from arena import NOTHING, POINTS, Arena, Outcome
from attack_files import Attack, Header

MAX_MB = 400  # of memory that a process of the grader may add for one submission
EXAMINER_MB = 75  # of memory that an examiner has when it begins


def carry_out(
    arena: Arena, name: str, variant: str = "", memory: Any = None, **values: Any
) -> Outcome:
    """Grade the submission of an attack, and expect the outcome in its header.

    Parameters
    ----------
    name
        Of the attack.
    variant
        The name of one of its variants, if it has any.
    memory
        The fixture of this name, for attacks whose memory is bounded.
    values
        Values of other names in its code.
    """
    attack = Attack.read(name)
    if attack.header.looks_for:
        groups = arena.secret_texts()
        needles = [text for name in attack.header.looks_for for text in groups.get(name, [name])]
        values["NEEDLES"] = [needle[::-1] for needle in needles]
    outcome = arena.attack(**attack.submission(variant, **values))
    expect(attack.header, outcome)
    if attack.header.bounded:
        memory.end()
        assert memory.grader_mb < MAX_MB, memory
        assert memory.examiner_mb < EXAMINER_MB + MAX_MB, memory
        assert len(nbformat.writes(outcome.nb).encode()) < 1_000_000
        assert sum(len(cell.get("outputs", ())) for cell in outcome.nb.cells) < 350
    return outcome


def expect(header: Header, outcome: Outcome) -> None:
    """Expect the outcome that a header states, except for memory."""
    scores = POINTS if header.scores == "all" else {} if header.scores == "none" else header.scores
    *fewer, most = [NOTHING | some for some in (scores if isinstance(scores, list) else [scores])]
    kinds, problems = outcome.kinds, outcome.problems
    assert outcome.scores == most or (outcome.scores in fewer and problems)
    assert header.problems in (None, kinds, "some" if kinds else None), problems
    assert header.problems_among is None or kinds <= header.problems_among, [
        p.message for p in problems
    ]
    printed = outcome.printed.replace("\\n", "\n").replace("\\'", "'")
    for text in header.prints:
        assert text in printed
    for text in header.prints_unless_problems:
        assert text in printed or problems
    for text in header.never_prints:
        assert text not in printed
    for text, (least, most) in header.counts.items():
        assert least <= printed.count(text) <= most, text
    for word, (least, most) in header.numbers.items():
        assert least <= int(re.findall(rf"{word} (\d+)", printed)[-1]) <= most, word
    if header.looks_for:
        assert set(re.findall(r"looked at \d+ found (.*)$", printed, re.M)) == {"[]"}
