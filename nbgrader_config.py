"""Settings of the course; every command of nbgrader and formgrader reads them."""

from pathlib import Path

try:
    from hw_grading import configure
except ImportError as error:
    raise SystemExit(
        f"{error}. Without the grader, nbgrader would run student code without a sandbox. "
        "Install hw-grading, or take these lines out of nbgrader_config.py."
    ) from None

c = get_config()
configure(c)  # the grader itself; below are the settings of this course

HERE = Path(__file__).resolve().parent

c.CourseDirectory.root = str(HERE)
c.CourseDirectory.course_id = "intro-ml"
# Students do not get runs that the instructor saved beside the notebook.
c.CourseDirectory.ignore = [".ipynb_checkpoints", "*.pyc", "__pycache__", "saved_runs"]

# Students and instructors must both be able to write here (chmod 1777 on a shared machine).
c.Exchange.root = str(HERE / "exchange")
c.Exchange.timezone = "America/Los_Angeles"
# A student's damaged folder does not stop the others, and a link in it gives nothing away.
c.ExchangeFactory.collect = "hw_grading.plugins.exchange.CollectEach"

# Beside what any course needs: no source with a mistake is released.
c.GenerateAssignment.preprocessors = [
    "hw_grading.plugins.releasing.CheckRegions",
    *c.GenerateAssignment.preprocessors,
]
c.ClearSolutions.text_stub = "YOUR ANSWER HERE"

# nbgrader zip_collect refuses: a name inside a student's zip could submit for another student.
c.ZipCollectApp.extractor_plugin = "hw_grading.lms.collect.UseCollect"

# "none" runs student code with your own rights: only for a class that you trust with your machine.
c.ExecuteSubmission.sandbox = "bubblewrap"
# What notebooks may import beside the packages of requirements-student.lock, by names on PyPI.
# Install these for the grader: `hw-grading doctor` looks for them. START.html tells students.
c.ExecuteSubmission.packages = []
# Where START.html sends students. Colab fetches the zip from the first address, which anybody can
# read, such as "https://ml.example.edu/{homework}.zip". The second is the course's hub.
c.StartPage.zip_address = ""
c.StartPage.hub_address = ""
# A public repository with the unzipped homeworks. `release` then writes links and badges that open
# them in Colab, in Binder, and on the hub by nbgitpuller: "https://github.com/ORG/NAME".
c.StartPage.repository = ""
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

# Whether everybody who submitted nothing has 0 points in exports, once the due date is over.
c.Exports.zeros = False
# Whether feedback leaves out the items of the rubrics: for the time before the grades are out.
c.FeedbackPage.hide_items = False

# Where submissions run: in "processes" of this machine, "serial" (one at a time), or on "dask".
c.WholeClass.executor = "processes"
c.WholeClass.workers = 0  # 0: one for each core, if memory allows
