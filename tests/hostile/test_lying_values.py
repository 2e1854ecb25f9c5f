"""Attacks by returned values and exceptions, with checks that a header cannot state.

All others are in `attacks/lying_values/`. A value that is not plain data stays in the kernel. It
can be asked for its entries, its length or an array, which are plain data again.
"""

from typing import Any

import numpy as np
import pytest
from arena import Arena
from attack_files import Attack
from carrying_out import carry_out, shown
from sessions import asking

from hw_grading.examiner.process import Fault, run_cell
from hw_support.checks import Checks
from hw_support.compare import assert_close

pytestmark = pytest.mark.slow

COMPARED = Attack.read("lying_values/odd_values")
LIARS = ("Equal()", "EqualFloat()", "Functions()", "Pretends(np.ndarray)", "Changing()")
RAISED = Attack.read("lying_values/odd_errors")
_STYLES = [
    *("assert got == 6", "assert not got != 6", "assert 6 == got", "assert got in (6, 7)"),
    *("assert 6 <= got <= 6", "assert abs(got - 6) < 1e-9", "assert float(got) == 6.0"),
    *("assert str(got) == '6'", "assert isinstance(got, float)"),
    *("assert np.isclose(got, 6)", "assert np.array_equal(got, 6)", "assert np.sum(got) == 6"),
    *("np.testing.assert_allclose(got, 6)", "assert list(got) == [6]", "assert got[0] == 6"),
    *("assert_close(got, 6)", "assert_close(np.ravel(got), [6])"),
]


@pytest.mark.parametrize("value", LIARS)
def test_values_that_lie_pass_no_way_of_comparing(value: str) -> None:
    attack = COMPARED.submission(value)
    students: dict[str, Any] = {}
    exec(attack["before"], students)
    exec(attack["answers"]["double"], students)
    ours = {"np": np, "Checks": Checks, "assert_close": assert_close}
    for style in _STYLES:
        test = (
            f"checks = Checks('double')\n@checks.part('it', points=2)\ndef _():\n"
            f"    got = double(3)\n    {style}\nchecks.score()"
        )
        with asking(students, **ours) as names:
            fault = ""
            try:
                run_cell(test, "test_double", names)
            except Fault as error:
                fault = str(error)
            assert "plain data only" in fault or not names["checks"].parts[0].passed, style


@pytest.mark.parametrize("name", RAISED.variants)
def test_whatever_a_function_raises_earns_nothing(arena: Arena, name: str) -> None:
    outcome = carry_out(arena, RAISED.name, name)
    assert len(shown(outcome, "test_double")) < 50_000
