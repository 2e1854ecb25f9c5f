"""Hides content from a student's feedback that nbgrader's own preprocessors leave in it.

The traceback of an error in a test cell (such as a time limit) quotes the hidden lines around it.
"""

from typing import Any

from nbgrader.preprocessors import NbGraderPreprocessor

from hw_grading.homework.cells import is_test


class HideTestDetails(NbGraderPreprocessor):
    """Reduces a test cell's outputs to its printed lines, its score and the names of errors."""

    def preprocess_cell(self, cell: Any, resources: Any, index: int) -> tuple[Any, Any]:
        """Shorten the outputs of one cell, if it is a test cell."""
        if is_test(cell):
            cell.outputs = [shown for output in cell.outputs if (shown := _shown(output))]
        return cell, resources


def _shown(output: Any) -> Any | None:
    if output.output_type == "error":
        text = f"{output.ename}: the details are not shown, because they may quote hidden tests."
        return type(output)(output_type="error", ename=output.ename, evalue="", traceback=[text])
    return output if output.output_type in ("stream", "execute_result") else None
