"""A digest covers everything that a verdict depends on, and nothing else."""

import pytest
from cells import homeworks, notebook_of
from settings import ROOT
from sources import as_run, digest, modules_of, without_points

FUNCTION = 'def f(x, y=1):\n    """Say what."""\n    # add\n    return f"{x:>{y}}" + (x + y)\n'


def names_of(paths):
    return {str(path.relative_to(ROOT)) for path in paths}


@pytest.mark.parametrize(
    "same",
    [
        FUNCTION.replace("Say what.", "Say it in other words.\n\n    >>> f(1)\n    2\n    "),
        FUNCTION.replace('    """Say what."""\n', ""),
        FUNCTION.replace("    # add\n", "\n\n"),
        FUNCTION.replace("(x + y)", "(\n        x + y\n    )"),
        FUNCTION.replace('f"{x:>{y}}"', "f'{x:>{y}}'"),
    ],
)
def test_docstrings_comments_and_layout_do_not_change_the_digest(same):
    assert as_run(same) == as_run(FUNCTION)


@pytest.mark.parametrize(
    "other",
    [
        FUNCTION.replace("x + y", "y + x"),
        FUNCTION.replace("y=1", "y=1.0"),
        FUNCTION.replace("y=1", "y=True"),
        FUNCTION.replace("y=1", "y='1'"),
        FUNCTION.replace("y=1", "*, y=1"),
        FUNCTION.replace(":>", ":<"),
        FUNCTION.replace("    return ", "    ")[:-1],
        FUNCTION + "f.said = 'Say what.'\n",
    ],
)
def test_changed_code_changes_the_digest(other):
    assert as_run(other) != as_run(FUNCTION)


def test_text_that_is_not_python_is_digested_unchanged():
    assert as_run("def f(:") == "def f(:"
    assert modules_of("def f(:") == frozenset()


def test_digests_are_the_same_in_every_version_of_python():
    source = (
        "@d\nclass A(B, c=None):\n    x: int = -1e-15\n"
        "async def g(a, /, *b, c=2, **d):\n"
        "    return [i async for i in a if i], f'{a!r:>{b}}' 'c'\n"
        "match x:\n    case {'a': [1, *_]} | None:\n        del x[1:, ...]\n"
    )
    assert digest(as_run(source))[:16] == "c033bf542f45ccd3"


def test_points_of_parts_that_are_plain_constants_are_taken_out():
    cell = (
        'checks = Checks("f", points={})\nwith checks("one", points={}):\n    f()\n'
        'with checks("two", points={}, hidden=True):\n    f()\nchecks.score()\n'
    )
    first, worth = without_points(cell.format(3, 1, 2))
    second, other = without_points(cell.format(5, 4.5, 0.5))
    assert first == second
    assert worth == {"one": 1.0, "two": 2.0}
    assert other == {"one": 4.5, "two": 0.5}
    assert without_points(cell.replace("f()", "g()").format(3, 1, 2))[0] != first


@pytest.mark.parametrize(
    "parts",
    [
        'for n in (1, 2):\n    with checks(f"part {n}", points=1): pass\n',
        'with checks("part", points=p): pass\n',
        'with checks("part", points=1): pass\nwith checks("part", points=2): pass\n',
    ],
)
def test_points_that_cannot_be_read_stay_in_the_text(parts):
    cell = 'checks = Checks("f", points=3)\n' + parts
    assert without_points(cell) == (as_run(cell), {})


def test_a_name_from_a_package_means_the_module_that_defines_it_and_no_other():
    found = names_of(modules_of("from hw_support import expect"))
    assert {"hw_support/compare.py", "hw_support/causes.py"} <= found
    assert not any("desk" in name or "runs" in name for name in found)
    assert names_of(modules_of("from hw_support import fresh")) == {"hw_support/fresh.py"}


def test_an_attribute_of_a_package_means_its_module_too():
    assert "hw_support/mnist.py" in names_of(modules_of("hw_support.get_mnist_threes_nines()"))


def test_imports_within_a_part_and_relative_ones_are_followed():
    cell = "with checks('x', points=1):\n    from staff.hw2.hidden import backward_results\n"
    found = names_of(modules_of(cell))
    assert {"staff/hw2/hidden.py", "staff/hw2/reference.py", "hw_support/fresh.py"} <= found
    served = names_of(modules_of("from hw_grading.inside.serve import Server"))
    assert "hw_grading/inside/wire/decoding.py" in served


@pytest.mark.parametrize("homework", homeworks())
def test_imports_of_staff_modules_in_test_cells_are_found(homework):
    tests = [cell for cell in notebook_of(homework).cells.values() if cell.is_test]
    found = names_of(frozenset().union(*(modules_of(cell.source) for cell in tests)))
    assert {f"staff/{homework}/hidden.py", f"staff/{homework}/reference.py"} <= found
    assert "hw_support/fresh.py" in found
