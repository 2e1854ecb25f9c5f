"""`check` shows remarks of tests that cost no points, and then finds something to do."""

import pytest
from small import answered, checked

pytestmark = pytest.mark.slow


def test_without_a_remark_nothing_is_left_to_do(tmp_path):
    found = checked(answered(), tmp_path)
    assert found.report.fine, found.said
    assert found.report.notes == []
    assert "found nothing left to do" in found.said


def test_a_remark_is_shown_although_all_points_are_earned(tmp_path):
    wrong = "STEP = 1\ndef double(x):\n    return x + x if np.all(x >= 1) else x"
    found = checked(answered(double=wrong), tmp_path)
    assert all(found.parts.values())
    assert found.report.notes == ["test_double: double(0.5) is 0.5, and the text announces 1."]
    assert not found.report.fine
    assert "test_double: double(0.5) is 0.5, and the text announces 1." in found.said
    assert "found nothing left to do" not in found.said


def test_a_remark_of_a_students_own_cell_is_not_shown(tmp_path):
    own = "STEP = 1\nchecks = Checks('mine')\nchecks.note('Mine.')\n"
    found = checked(answered(double=own + answered_double()), tmp_path)
    assert found.report.notes == []
    assert found.report.fine, found.said


def answered_double():
    return "def double(x):\n    return x + x"


def test_a_test_cell_that_ends_early_does_not_show_the_parts_of_another(tmp_path):
    notebook = answered(double="STEP = 1\nchecks = Checks('mine')\ndel Checks\n")
    found = checked(notebook, tmp_path)
    assert found.parts == {}
    assert (
        "test_double raises NameError: name 'Checks' is not defined, so it earns no points"
        in found.said
    )
    assert not found.report.fine


def test_an_error_of_an_answer_leaves_something_to_do_although_its_tests_pass(tmp_path):
    found = checked(answered(double=f"STEP = 1\n{answered_double()}\n1 / 0"), tmp_path)
    assert all(found.parts.values())
    assert not found.report.fine
    assert "double raises ZeroDivisionError" in found.said
