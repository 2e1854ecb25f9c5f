"""Settings of the course; every command of nbgrader and formgrader reads them."""

from pathlib import Path

from hw_grading.plugins.hardening import harden

c = get_config()

HERE = Path(__file__).resolve().parent

c.CourseDirectory.root = str(HERE)
c.CourseDirectory.course_id = "intro-ml"
# A run that the instructor saved beside the notebook is nobody else's.
c.CourseDirectory.ignore = [".ipynb_checkpoints", "*.pyc", "__pycache__", "saved_runs"]

# Students and instructors must both be able to write here (chmod 1777 on a shared machine).
c.Exchange.root = str(HERE / "exchange")
c.Exchange.timezone = "America/Los_Angeles"
# No student's folder or file in the exchange stops a command for the others.
c.ExchangeFactory.collect = "hw_grading.plugins.exchange.CollectAnyName"
c.ExchangeFactory.list = "hw_grading.plugins.exchange.ListEach"
c.ExchangeFactory.release_feedback = "hw_grading.plugins.exchange.ReleaseFeedbackToEach"

c.GenerateAssignment.preprocessors = [
    "hw_grading.plugins.due_date.ShowDueDate",
    "nbgrader.preprocessors.LockCells",
    "nbgrader.preprocessors.ClearSolutions",
    "nbgrader.preprocessors.ClearOutput",
    "nbgrader.preprocessors.CheckCellMetadata",
    "nbgrader.preprocessors.ComputeChecksums",
    "nbgrader.preprocessors.SaveCells",
    "hw_grading.plugins.order.SaveOrder",
    "nbgrader.preprocessors.ClearHiddenTests",
    "nbgrader.preprocessors.ClearMarkScheme",
    "nbgrader.preprocessors.ComputeChecksums",
    "nbgrader.preprocessors.CheckCellMetadata",
]
c.ClearSolutions.text_stub = "YOUR ANSWER HERE"
# Mark schemes stand in the locked question above each answer, not in cells of their own.
c.ClearMarkScheme.enforce_metadata = False

# What is downloaded from a learning platform: <student>_<homework>.ipynb, with anything behind it,
# or such a zip with one notebook, or a zip of all of these.
c.ZipCollectApp.extractor_plugin = "hw_grading.term.zip_collect.OneNotebookEach"
c.ZipCollectApp.collector_plugin = "hw_grading.term.zip_collect.HomeworksByName"

# Mends what students broke: the instructor's cells, their order, metadata, and the kernel.
c.Autograde.exporter_class = "hw_grading.plugins.exporters.SubmissionExporter"
c.Autograde.sanitize_preprocessors = [
    "hw_grading.plugins.preprocessors.MendCells",
    "nbgrader.preprocessors.ClearOutput",
]
c.Autograde.autograde_preprocessors = [
    "hw_grading.plugins.preprocessors.CollectResult",
    "nbgrader.preprocessors.LimitOutput",
    # Replaces AssignLatePenalties too: what lateness costs is computed when scores are shown.
    "hw_grading.plugins.saving.SaveScores",
    "hw_grading.plugins.preprocessors.MarkFinished",
]
# "none" runs student code with your own rights: for a class that you trust with your machine.
c.ExecuteSubmission.sandbox = "bubblewrap"
# Notebooks tell students these limits. What may pass on the clock leaves room for other work. Cells
# with other limits stand in a homework's manifest, staff/<homework>/homework.toml.
c.ExecuteSubmission.cpu_seconds_per_cell = 60
c.ExecuteSubmission.cpu_seconds_per_submission = 1800
c.ExecuteSubmission.wall_seconds_per_cell = 180
c.ExecuteSubmission.wall_seconds_per_submission = 5400
c.ExecuteSubmission.memory_mb = 3000
c.ExecuteSubmission.processes = 64
c.ExecuteSubmission.file_mb = 100
c.ExecuteSubmission.folder_mb = 200
c.ExecuteSubmission.files = 20_000

# What late work loses, counted whenever scores are shown or exported, so after grading by hand.
# Homeworks may differ, in a section [late] of their manifests; docs/late-work.md has a table.
c.LatePolicy.grace_minutes = 0
c.LatePolicy.percent = 0  # of all points of the homework
c.LatePolicy.per = "day"  # or "hour", which have begun
c.LatePolicy.floor = 0  # percent that lateness leaves
c.LatePolicy.last_moment_hours = None  # after the due date; later work scores 0
c.LatePolicy.slip_days = 0  # of each student, over all homeworks
c.LatePolicy.use_slip_days = "automatic"  # or "asked"

# Submissions are run at once: "processes" of this machine, "serial", or "dask".
c.WholeClass.executor = "processes"
c.WholeClass.workers = 0  # as many as there are cores, and memory for
c.WholeClass.results_mb = 4000

# What students wrote is shown without HTML that runs, in feedback and in formgrader.
c.TemplateExporter.filters = {
    "markdown2html": "hw_grading.pages.safe_html.markdown2html",
    "clean_html": "hw_grading.pages.safe_html.clean_html",
    "strip_files_prefix": "hw_grading.pages.safe_html.unchanged",
}
c.HTMLExporter.preprocessors = ["hw_grading.pages.safe_html.CleanOutputs"]
# Formgrader escapes what it prints, nothing that students determine stops or repaints a command.
harden()

# Feedback shows neither hidden tests nor mark schemes. It reads its scores by itself.
c.GenerateFeedback.exporter_class = "hw_grading.plugins.feedback.exporter.FeedbackExporter"
c.GenerateFeedback.preprocessors = [
    "nbgrader.preprocessors.ClearHiddenTests",
    "nbgrader.preprocessors.ClearMarkScheme",
    "hw_grading.plugins.feedback.hiding.HideTestDetails",
]

# A table that no spreadsheet computes.
c.ExportApp.plugin_class = "hw_grading.exports.plugins.PlainCsv"
