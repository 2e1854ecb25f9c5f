"""Fingerprints: the same for the same mistake in other forms, and another for another mistake."""

import numpy as np
import pytest

from hw_support import Checks
from hw_support.checks.fingerprint import LONGEST, is_of_results, of_message

TEST = """checks = Checks("f", returns="out, grad", cases=[
    ([1.0, 2.0, 4.0], [2.0, 4.0, 8.0], [1.0, 4.0, 16.0]), ([3.0], [6.0], [9.0])])
checks.table("values", 1, "out")
checks.table("derivatives", 1, "grad")
"""

# By mistake, its forms: what `f` returns.
FORMS = {
    "the value is not doubled": ["x, x**2", "x * 1.0, x * x", "x + 1e-14, x**2"],
    "the value is tripled": ["3 * x, x**2", "x + x + x, x**2"],
    "the square is a cube": ["2 * x, x**3", "x + x, x * x * x"],
    "both are wrong": ["x, x**3", "1.0 * x, x * x**2"],
    "a name is missing": ["xx, x**2", "2 * y, x**2"],
    "text is added": ["x + 'a', x**2", "x + 'other', x**2"],
    "an index is too large": ["x[7], x**2", "x[9], x**2"],
    "one axis too many": ["2 * x[None], x**2", "(x + x)[None, :], x**2"],
    "nothing is returned": ["None", "print()"],
}


def failed(answer):
    """The parts that fail, in order."""
    space = {"Checks": Checks}
    exec(compile(f"def f(x):\n    return {answer}", "<f>", "exec"), space)
    exec(TEST, space)
    return [part for part in space["checks"].parts if not part.passed]


def fingerprints(answer):
    return [part.fingerprint for part in failed(answer)]


def test_the_forms_of_a_mistake_have_its_fingerprints_and_no_other_mistake_has_them(capsys):
    found = {name: [fingerprints(form) for form in forms] for name, forms in FORMS.items()}
    assert all(all(one) for forms in found.values() for one in forms)
    for forms in found.values():
        assert all(one == forms[0] for one in forms)
    assert len({tuple(forms[0]) for forms in found.values()}) == len(FORMS)


def test_wrong_results_have_one_of_their_names_and_errors_have_none_of_their_numbers(capsys):
    assert fingerprints("x, x**2") == ["results: out: -6.2129"]
    assert [fingerprint.split(":")[0] for fingerprint in fingerprints("x[7], x**2")] == [
        "raises IndexError in f"
    ] * 2
    assert not any(map(is_of_results, fingerprints("x[7], x**2")))


@pytest.mark.parametrize(
    "text", ["<script>1</script>" * 99, "\x1b[31mred\x1b[0m", "a\u202eb", "'" * 500, "9" * 10_000]
)
@pytest.mark.parametrize("sizes", [False, True])
def test_a_hostile_message_gives_a_short_text_on_one_line(text, sizes):
    found = of_message(text, sizes=sizes)
    assert len(found) <= LONGEST
    assert found.isprintable()


# By mistake: what a function draws that should draw N(0, 1).
DRAWS = {
    "zeros": "np.zeros(1000)",
    "uniform": "rng.uniform(0, 1, 1000)",
    "a tenth": "rng.normal(0, 0.1, 1000)",
    "two digits": "rng.normal(0, 1, 1000).round(2)",
}


def test_mistakes_in_random_functions_are_told_apart_by_the_sizes_of_their_numbers(capsys):
    found = {}
    for name, draw in DRAWS.items():
        forms = set()
        for seed in range(3):
            space = {"Checks": Checks, "np": np, "rng": np.random.default_rng(seed)}
            exec(f"def noise():\n    return {draw}", space)
            exec("checks = Checks('noise')\nchecks.random('N', 1, lambda: noise(), std=1)", space)
            forms |= {part.fingerprint for part in space["checks"].parts}
        found[name] = forms
    assert {name: len(forms) for name, forms in found.items()} == dict.fromkeys(DRAWS, 1)
    assert len(set.union(*found.values())) == len(DRAWS)
