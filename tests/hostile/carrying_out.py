"""Carries out the attacks in `attacks/`, and compares their outcomes with their headers."""

import re
from typing import Any

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
        assert len(outcome.printed) < 1_000_000
    return outcome


def expect(header: Header, outcome: Outcome) -> None:
    """Expect the outcome that a header states, except for memory."""
    scores = POINTS if header.scores == "all" else {} if header.scores == "none" else header.scores
    possible = scores if isinstance(scores, list) else [scores]
    assert outcome.scores in [NOTHING | some for some in possible]
    kinds, problems = outcome.kinds, outcome.problems
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
        assert least <= number_after(word, outcome) <= most, word
    if header.works is not None or header.refused is not None:
        worked, refused = tried(outcome)
        assert header.works in (None, worked)
        assert header.refused in (None, refused, len(refused))
    if header.looks_for:
        assert set(re.findall(r"looked at \d+ found (.*)$", printed, re.M)) == {"[]"}


def tried(outcome: Outcome) -> tuple[set[str], set[str]]:
    """Return the attempts of the preamble `tries` that worked, and those that were refused."""
    found = [set(re.findall(rf"{what} (\w+)", outcome.printed)) for what in ("WORKED", "refused")]
    assert any(found), f"nothing was tried: {outcome.printed[-2000:]}"
    return found[0], found[1]


def number_after(word: str, outcome: Outcome) -> int:
    """Return the last number that was printed behind a word."""
    return int(re.findall(rf"{word} (\d+)", outcome.printed)[-1])
