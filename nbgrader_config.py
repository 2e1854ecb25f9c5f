"""Settings of the course; every command of nbgrader and formgrader reads them."""

from pathlib import Path

c = get_config()

HERE = Path(__file__).resolve().parent

c.CourseDirectory.root = str(HERE)
c.CourseDirectory.course_id = "intro-ml"
# A run that the instructor saved beside the notebook is nobody else's.
c.CourseDirectory.ignore = [".ipynb_checkpoints", "*.pyc", "__pycache__", "saved_runs"]

# Students and instructors must both be able to write here (chmod 777 on a shared machine).
c.Exchange.root = str(HERE / "exchange")
c.Exchange.timezone = "America/Los_Angeles"

# The one place of the due date: shown in the notebook, and what lateness is counted from.
c.ShowDueDate.local_time = "2022-10-04 23:59:59"
c.ShowDueDate.time_zone = "America/Los_Angeles"
c.ShowDueDate.zone_in_words = "Pacific"

c.GenerateAssignment.preprocessors = [
    "hw_grading.due_date.ShowDueDate",
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
]
c.ClearSolutions.text_stub = "YOUR ANSWER HERE"
# Mark schemes stand in the locked question above each answer, not in cells of their own.
c.ClearMarkScheme.enforce_metadata = False

# What is downloaded from a learning platform: <student>_hw2.ipynb, or <student>_hw2_anything.ipynb.
c.FileNameCollectorPlugin.named_regexp = r"^(?:.*/)?(?P<student_id>[^/]+?)_(?P<file_id>hw2)[^/]*$"

# Mends what students broke; then nbgrader's own second look.
c.Autograde.exporter_class = "hw_grading.nbgrader_glue.SubmissionExporter"
c.Autograde.sanitize_preprocessors = [
    "hw_grading.nbgrader_glue.MendCells",
    "nbgrader.preprocessors.ClearOutput",
    "nbgrader.preprocessors.OverwriteKernelspec",
    "nbgrader.preprocessors.OverwriteCells",
    "nbgrader.preprocessors.CheckCellMetadata",
]
c.Autograde.autograde_preprocessors = [
    "hw_grading.execution.ExecuteSubmission",
    "nbgrader.preprocessors.LimitOutput",
    "nbgrader.preprocessors.SaveAutoGrades",
    "nbgrader.preprocessors.AssignLatePenalties",
    "nbgrader.preprocessors.CheckCellMetadata",
    "hw_grading.nbgrader_glue.MarkFinished",
]
# The notebook tells students these limits.
c.ExecuteSubmission.seconds_per_cell = 60
c.ExecuteSubmission.seconds_for_cell = {"train": 600, "q1_3e_iv_experiment": 600}
c.ExecuteSubmission.seconds_per_submission = 1800
# Hidden tests draw fresh inputs for each student; with the same number, the same ones again.
c.ExecuteSubmission.seed = 20221004

# Feedback shows neither hidden tests nor mark schemes.
c.GenerateFeedback.exporter_class = "hw_grading.nbgrader_glue.FeedbackExporter"
c.GenerateFeedback.preprocessors = [
    "nbgrader.preprocessors.GetGrades",
    "nbgrader.preprocessors.ClearHiddenTests",
    "nbgrader.preprocessors.ClearMarkScheme",
    "hw_grading.feedback.HideTestDetails",
    "nbconvert.preprocessors.CSSHTMLHeaderPreprocessor",
]
