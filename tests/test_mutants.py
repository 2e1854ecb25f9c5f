"""The mutants of the project's own code."""

from pathlib import Path

from hw_grading.homework.course import REPOSITORY
from tools.mutants import TESTS, mutants_of


def test_a_mutant_changes_one_place(tmp_path: Path) -> None:
    module = tmp_path / "module.py"
    module.write_text("def f(x: int = 1) -> bool:\n    return not x < 2 and f'{x + 1}' != ''\n")
    whole = "not x < 2 and f'{x + 1}' != ''"
    changed = [mutant.source.decode().splitlines() for mutant in mutants_of(module)]
    assert [first for first, _ in changed if "= 2" in first] == ["def f(x: int = 2) -> bool:"]
    assert [second.removeprefix("    ") for _, second in changed if whole not in second] == [
        "return None",
        "return (not x < 2 or f'{x + 1}' != '')",
        "return (x < 2) and f'{x + 1}' != ''",
        "return not (x <= 2) and f'{x + 1}' != ''",
        "return not x < 3 and f'{x + 1}' != ''",
        "return not x < 2 and (f'{x + 1}' == '')",
    ]


def test_each_package_has_the_tests_that_are_named() -> None:
    named = [f"tests/{name}" for names in TESTS.values() for name in names.split()]
    assert [name for name in [*TESTS, *named] if not (REPOSITORY / name).exists()] == []
