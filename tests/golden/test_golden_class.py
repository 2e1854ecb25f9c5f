"""Every submission of the golden class has the results that are written down."""

import difflib
from pathlib import Path

import pytest
from golden_class import EXPECTED, HOMEWORKS, described, graded_class, read_expected

HOW = (
    f"The golden class has other results than {EXPECTED.name}, as above. If they are meant to "
    "change, write the file anew (python tests/golden/golden_class.py), and give the reason in the "
    "commit's message."
)


def differences(texts: dict[str, str]) -> str:
    """Return the lines by which these results differ from those that are written down."""
    expected = read_expected()
    lines: list[str] = []
    for heading, text in texts.items():
        both = expected.get(heading, "").split("\n"), text.split("\n")
        found = difflib.unified_diff(*both, heading, heading, "expected", "found", lineterm="")
        lines += [*found]
    return "\n".join(lines)


@pytest.mark.slow
@pytest.mark.smoke
def test_a_few_of_the_golden_class_have_the_expected_results(tmp_path: Path) -> None:
    texts = graded_class(tmp_path, described()["quick"], quick=True)
    named = [name for names in described()["quick"].values() for name in names]
    assert len([heading for heading in texts if " / " in heading]) == len(named)
    found = differences(texts)
    assert not found, f"{found}\n{HOW}"


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("homework", HOMEWORKS)
def test_the_whole_golden_class_has_the_expected_results(tmp_path: Path, homework: str) -> None:
    texts = graded_class(tmp_path, [homework])
    assert texts.keys() == {heading for heading in read_expected() if heading.startswith(homework)}
    found = differences(texts)
    assert not found, f"{found}\n{HOW}"
