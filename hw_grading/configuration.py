"""What the grader needs in the configuration of a course of nbgrader."""

import importlib
import sys
from typing import Any

from traitlets.config import Application

NOT_CONFIGURED = (
    "Without it, nbgrader runs student code without a sandbox. Put these lines at the top of "
    "nbgrader_config.py: from hw_grading import configure; c = get_config(); configure(c)"
)
_AUTOGRADE = "hw_grading.plugins.autograde.SubmissionExporter"


def is_configured(c: Any) -> bool:
    """Whether these settings of a course let nbgrader grade with this grader."""
    return bool(c.Autograde.get("exporter_class") == _AUTOGRADE)


def configure(c: Any) -> None:
    """Let nbgrader's commands use this grader; `c` is a course's ``get_config()``.

    The course's own settings stay: its id, its folders, its exchange, the texts of its release. A
    setting of the course below this call wins. A mistake in the file, below this call, ends the
    command: nbgrader would go on without the whole file, and so without a sandbox.
    """
    if Application.initialized():  # it reads the file twice, and asks this before the second time
        Application.instance().raise_config_file_errors = True
    # Test cells with `Checks` get the points of their parts, and a homework with a manifest its due
    # date. The students' commands need the description. All else is nbgrader's own list.
    c.GenerateAssignment.preprocessors = [
        "nbgrader.preprocessors.IncludeHeaderFooter",
        "nbgrader.preprocessors.InstantiateTests",
        "hw_grading.plugins.releasing.PrepareCells",
        "nbgrader.preprocessors.LockCells",
        "nbgrader.preprocessors.ClearSolutions",
        "nbgrader.preprocessors.ClearOutput",
        "nbgrader.preprocessors.CheckCellMetadata",
        "nbgrader.preprocessors.ComputeChecksums",
        "nbgrader.preprocessors.SaveCells",
        "nbgrader.preprocessors.ClearHiddenTests",
        "nbgrader.preprocessors.ClearMarkScheme",
        "nbgrader.preprocessors.ComputeChecksums",
        "nbgrader.preprocessors.CheckCellMetadata",
        "hw_grading.plugins.releasing.DescribeRelease",
    ]
    # A mark scheme may also be in the locked question above its answer, as in a new homework.
    c.ClearMarkScheme.enforce_metadata = False

    # Grades the class. It restores what students changed, instead of `sanitize_preprocessors`: the
    # instructor's cells, their order, metadata, and the kernel.
    c.Autograde.exporter_class = _AUTOGRADE
    c.Autograde.autograde_preprocessors = ["nbgrader.preprocessors.LimitOutput"]

    # Feedback and formgrader show what students wrote without scripts.
    c.TemplateExporter.filters = {
        "markdown2html": "hw_grading.rendering.safe_html.markdown2html",
        "clean_html": "hw_grading.rendering.safe_html.clean_part",
        "highlight_code": "hw_grading.rendering.safe_html.highlight_code",
        "strip_files_prefix": "hw_grading.rendering.safe_html.unchanged",
    }
    c.HTMLExporter.preprocessors = ["hw_grading.rendering.safe_html.CleanOutputs"]
    # Formgrader's pages escape ids and names, need no network, and link to the desk. The module is
    # imported by its name, because this one is imported by every package, and imports none.
    if "nbgrader.apps" in sys.modules:  # otherwise no formgrader is in this process
        importlib.import_module("hw_grading.plugins.formgrader").adapt()

    # Feedback shows neither hidden tests nor mark schemes. The exporter reads the scores itself.
    c.GenerateFeedback.exporter_class = "hw_grading.rendering.feedback.exporter.FeedbackExporter"
    c.GenerateFeedback.preprocessors = [
        "nbgrader.preprocessors.ClearHiddenTests",
        "nbgrader.preprocessors.ClearMarkScheme",
    ]

    # A table of final scores in which a spreadsheet finds no formulas.
    c.ExportApp.plugin_class = "hw_grading.lms.export.PlainCsv"
