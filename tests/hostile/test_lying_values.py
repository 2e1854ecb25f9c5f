"""Attacks by returned values and exceptions, with checks that a header cannot state.

All others are in `attacks/lying_values/`. A value that is not plain data stays in the kernel. It
can be asked for its entries, its length or an array, which are plain data again.
"""

import pytest
from arena import Arena
from attack_files import Attack
from carrying_out import carry_out, expect, shown

from hw_grading.commands.sample import cell_of

pytestmark = pytest.mark.slow

COMPARED = Attack.read("lying_values/odd_values")
LIARS = ("Equal()", "EqualFloat()", "Functions()", "Everything()", "Pretends(float)", "Changing()")
RAISED = Attack.read("lying_values/odd_errors")
_STYLES = [
    *("assert got == 6", "assert not got != 6", "assert 6 == got", "assert got in (6, 7)"),
    *("assert 6 <= got <= 6", "assert not (got < 6 or got > 6)", "assert abs(got - 6) < 1e-9"),
    *("assert float(got) == 6.0", "assert int(got) == 6", "assert round(got) == 6"),
    *("assert str(got) == '6'", "assert repr(got) == '6'", "assert f'{got}' == '6'"),
    *(
        "assert hash(got) == hash(6)",
        "assert {6: True}[got]",
        "assert isinstance(got, (int, float))",
    ),
    *("assert np.isclose(got, 6)", "assert np.allclose(got, 6)", "assert np.all(got == 6)"),
    *("assert np.array_equal(got, 6)", "np.testing.assert_allclose(got, 6)"),
    *("np.testing.assert_equal(got, 6)", "np.testing.assert_array_equal(got, np.array(6))"),
    *("np.testing.assert_almost_equal(got, 6)", "assert (np.asarray(got) == 6).all()"),
    *("assert np.abs(got - 6).max() < 1e-9", "assert np.shape(got) == () and np.sum(got) == 6"),
    *("assert sum(got) == 6", "assert max(got) == 6", "assert sorted(got) == [6]"),
    *("assert list(got) == [6]", "assert tuple(got)[0] == 6", "assert dict(got) == {6: 6}"),
    *("import math; assert math.isclose(got, 6)", "assert got.all() == 6", "assert got[0] == 6"),
]


@pytest.mark.parametrize("value", LIARS)
def test_values_that_lie_pass_no_comparison_however_it_is_written(arena: Arena, value: str) -> None:
    parts = "\n".join(
        f"@checks.part({style!r}, points=0.05)\ndef _():\n    got = double(3)\n    {style}"
        for style in _STYLES
    )
    submission = COMPARED.submission(value)
    submission["answers"]["test_double"] = (
        f"import numpy as np\nchecks = Checks('double')\n{parts}\nchecks.score()"
    )
    outcome = arena.attack(**submission)
    expect(COMPARED.header, outcome)
    text = cell_of(outcome.nb, "test_double").outputs[0].text
    assert text.count("FAILED") == len(_STYLES)


@pytest.mark.parametrize("name", RAISED.variants)
def test_whatever_a_function_raises_earns_nothing(arena: Arena, name: str) -> None:
    outcome = carry_out(arena, RAISED.name, name)
    assert len(shown(outcome, "test_double")) < 50_000
