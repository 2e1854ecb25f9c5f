"""Settings of the course; every command of nbgrader and formgrader reads them."""

from pathlib import Path

from hw_grading.plugins.formgrader import adapt

c = get_config()

HERE = Path(__file__).resolve().parent

c.CourseDirectory.root = str(HERE)
c.CourseDirectory.course_id = "intro-ml"
# Students do not get runs that the instructor saved beside the notebook.
c.CourseDirectory.ignore = [".ipynb_checkpoints", "*.pyc", "__pycache__", "saved_runs"]

# Students and instructors must both be able to write here (chmod 1777 on a shared machine).
c.Exchange.root = str(HERE / "exchange")
c.Exchange.timezone = "America/Los_Angeles"
# One student's bad folder or file in the exchange does not stop a command for the others.
c.ExchangeFactory.collect = "hw_grading.plugins.exchange.CollectEach"
c.ExchangeFactory.release_feedback = "hw_grading.plugins.exchange.ReleaseFeedbackToEach"

c.GenerateAssignment.preprocessors = [
    "hw_grading.plugins.releasing.CheckRegions",
    "hw_grading.plugins.releasing.SetPoints",
    "hw_grading.plugins.releasing.CollapseTests",
    "hw_grading.plugins.releasing.ShowDueDate",
    "hw_grading.plugins.releasing.WriteStartPage",
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
# Mark schemes are in the locked question above each answer, not in cells of their own.
c.ClearMarkScheme.enforce_metadata = False

# nbgrader zip_collect refuses: a name inside a student's zip could submit for another student.
c.ZipCollectApp.extractor_plugin = "hw_grading.lms.collect.UseCollect"

# Restores what students changed: the instructor's cells, their order, metadata, and the kernel.
c.Autograde.exporter_class = "hw_grading.plugins.exporters.SubmissionExporter"
c.Autograde.sanitize_preprocessors = [
    "hw_grading.plugins.preprocessors.MendCells",
    "nbgrader.preprocessors.ClearOutput",
]
c.Autograde.autograde_preprocessors = [
    "hw_grading.plugins.preprocessors.CollectResult",
    "nbgrader.preprocessors.LimitOutput",
    # Also replaces AssignLatePenalties: late penalties are computed when scores are shown.
    "hw_grading.plugins.saving.SaveScores",
    "hw_grading.plugins.preprocessors.MarkFinished",
]
# "none" runs student code with your own rights: only for a class that you trust with your machine.
c.ExecuteSubmission.sandbox = "bubblewrap"
# Notebooks tell students these limits. Wall-clock limits (wall_seconds) are larger, because the
# machine may be busy. Other limits of single cells are in a homework's manifest,
# staff/<homework>/homework.toml.
c.ExecuteSubmission.cpu_seconds_per_cell = 60
c.ExecuteSubmission.cpu_seconds_per_submission = 1800
c.ExecuteSubmission.wall_seconds_per_cell = 180
c.ExecuteSubmission.wall_seconds_per_submission = 5400
c.ExecuteSubmission.memory_mb = 3000
c.ExecuteSubmission.processes = 64
c.ExecuteSubmission.file_mb = 100
c.ExecuteSubmission.folder_mb = 200
c.ExecuteSubmission.files = 20_000

# Penalties for late work, computed each time scores are shown or exported. docs/late-work.md
# explains each setting.
c.LatePolicy.grace_minutes = 0
c.LatePolicy.percent = 0  # of all points of the homework, for each day that has begun
c.LatePolicy.floor = 0  # percent: the penalty lowers no score below this
c.LatePolicy.last_moment_hours = None  # after the due date; later work scores 0
c.LatePolicy.slip_days = 0  # for each student, over all homeworks together

# Where submissions run: in "processes" of this machine, "serial" (one at a time), or on "dask".
c.WholeClass.executor = "processes"
c.WholeClass.workers = 0  # 0: one for each core, if memory allows
c.WholeClass.results_mb = 4000

# Feedback and formgrader show what students wrote without scripts.
c.TemplateExporter.filters = {
    "markdown2html": "hw_grading.rendering.safe_html.markdown2html",
    "clean_html": "hw_grading.rendering.safe_html.clean_part",
    "highlight_code": "hw_grading.rendering.safe_html.highlight_code",
    "strip_files_prefix": "hw_grading.rendering.safe_html.unchanged",
}
c.HTMLExporter.preprocessors = ["hw_grading.rendering.safe_html.CleanOutputs"]
# Formgrader's pages escape ids and names, need no network, and link to the desk.
adapt()

# Feedback shows neither hidden tests nor mark schemes. The exporter reads the scores itself.
c.GenerateFeedback.exporter_class = "hw_grading.plugins.feedback.FeedbackExporter"
c.GenerateFeedback.preprocessors = [
    "nbgrader.preprocessors.ClearHiddenTests",
    "nbgrader.preprocessors.ClearMarkScheme",
    "hw_grading.plugins.feedback.HideTestDetails",
]

# A table in which a spreadsheet finds no formulas.
c.ExportApp.plugin_class = "hw_grading.lms.export.PlainCsv"
