"""Compares a notebook that was graded by itself with the same one in a class."""

from typing import Any

from hw_grading.gradebook.results import StudentResult

# Both runs draw the same fresh cases, and none takes the other's result from the cache.
EVERY_RUN = "c.WholeClass.rerun = True\nc.WholeClass.seed = '07'\n"


def expect_same(result: dict[str, Any], of_class: StudentResult) -> None:
    """Compare a result of `grade_file` with the one that the gradebook has, part by part."""
    run = of_class.run
    assert run
    cells = {cell["id"]: cell for one in result["questions"] for cell in one["cells"]}
    assert cells.keys() >= {score.cell.name for score in of_class.known.scores}
    for score in of_class.known.scores:
        cell = cells[score.cell.name]
        assert (cell["points"], cell["most"]) == (score.auto, score.cell.max_points)
        assert cell["by_hand"] == score.cell.by_hand
    waiting = [score.cell.name for score in of_class.known.scores if score.is_open]
    assert sorted(result["waiting"]) == sorted(waiting)
    parts = [
        (cell["id"], part["name"] or cell["id"], part["points"], part["most"], part["passed"])
        for cell in cells.values()
        for part in cell["parts"]
    ]
    expected = [(one.cell, one.name, one.earned, one.points, one.passed) for one in run.parts]
    assert sorted(parts) == sorted(expected)
    said = {part["message"] for cell in cells.values() for part in cell["parts"]}
    assert {one.message for one in run.parts if not one.is_whole} <= said
    assert result["status"] == run.status
    problems = [problem.message for problem in run.problems]
    assert [one["message"] for one in result["problems"]] == problems
