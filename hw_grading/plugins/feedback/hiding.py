"""What a student's feedback must not tell: hidden tests, their inputs, mark schemes.

The source of hidden tests and the mark schemes are taken out by nbgrader's own preprocessors,
which nbgrader_config.py names. Here it is what a test cell printed that is cut down: the
traceback of an error (a time limit, for example) quotes lines of the test around it.
"""

from __future__ import annotations

from typing import Any

from nbgrader import utils
from nbgrader.preprocessors import NbGraderPreprocessor


class HideTestDetails(NbGraderPreprocessor):
    """Keep of a test cell's outputs its printed lines, its score and the names of errors."""

    def preprocess_cell(self, cell: Any, resources: Any, index: int) -> tuple[Any, Any]:
        """Cut down the outputs of one cell, if it is a test cell."""
        if cell.cell_type == "code" and utils.is_grade(cell) and not utils.is_solution(cell):
            cell.outputs = [shown for output in cell.outputs if (shown := _shown(output))]
        return cell, resources


def _shown(output: Any) -> Any | None:
    if output.output_type == "error":
        text = f"{output.ename}: the details may quote hidden tests and are not shown."
        return type(output)(output_type="error", ename=output.ename, evalue="", traceback=[text])
    return output if output.output_type in ("stream", "execute_result") else None
