"""Runs a submission's cells in a kernel, under limits, and never lets it stop the class.

This is nbgrader's `Execute` with three changes.

1. *Whatever a submission does to its kernel ends in a score and a reason.* A test that did not run
   to its end gets an error as output, because nbgrader gives full marks to a test without outputs.
   A fault that is not the submission's (no kernel can be started at all) raises `GraderFault`, or
   `NoSuchKernel`: nbgrader then leaves that student without a score rather than with a zero.
2. *Limits*: seconds for each cell and for the whole submission, bytes of output for each cell.
   A cell that does not end is interrupted; if that does not help, its kernel is killed; and if a
   flood of messages keeps this process from noticing the time, a thread of its own kills.
3. *Outputs are scored as they are meant* (see `hw_grading.outputs`): warnings on stderr cost
   nothing, and a number that is no score scores 0 and does not stop nbgrader.

Not protected here: student code runs with the grader's rights, in the kernel in which the tests
run. What it leaves running in a process group of its own is not found.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from queue import Empty
from time import monotonic
from typing import Any

from jupyter_client.kernelspec import NoSuchKernel
from nbclient.exceptions import CellExecutionComplete
from nbclient.util import ensure_async, run_sync
from nbformat import NotebookNode
from nbformat.v4 import new_output
from nbgrader.preprocessors import Execute
from nbgrader.utils import is_grade, is_solution
from traitlets import Bool, Dict, Enum, Float, Integer, Unicode

from hw_grading import outputs
from hw_grading.fresh import SEED_VARIABLE
from hw_grading.kernels import (
    IPYKERNEL_ARGUMENTS,
    CappedKernelManager,
    KernelProcesses,
    check_that_kernels_start,
    kernel_environment,
)
from hw_grading.outputs import Flow, OutputBudget
from hw_grading.problems import (
    METADATA_KEY,
    Kind,
    Problem,
    Severity,
    add_problems,
    put_notes_on_top,
    read_problems,
    shown,
)

# Errors and results beyond the limit are kept, but not without end.
_MOST_KEPT_BEYOND = 100


class ExecuteSubmission(Execute):
    """Run the cells of one submission; stands in `autograde_preprocessors` for `Execute`."""

    seconds_per_cell = Float(60, help="time limit of a cell").tag(config=True)
    seconds_for_cell = Dict(
        key_trait=Unicode(), value_trait=Float(), help="other time limits, by grade id"
    ).tag(config=True)
    seconds_per_submission = Float(1800, help="time limit of all cells together").tag(config=True)
    max_output_bytes_per_cell = Integer(
        2_000_000, help="about how much output of a cell is kept; a cell that goes on is stopped"
    ).tag(config=True)
    blas_threads = Integer(
        1, help="threads of BLAS and OpenMP in a kernel; 0 leaves the environment alone"
    ).tag(config=True)
    seed = Integer(
        0,
        help="hidden tests draw a submission's inputs from this number and the student's id, so "
        "that a grade can be repeated",
    ).tag(config=True)
    iopub_timeout = Integer(
        10, help="seconds for the last outputs to arrive, and for an interrupt to have an effect"
    ).tag(config=True)
    shutdown_kernel = Enum(["graceful", "immediate"], default_value="immediate").tag(config=True)
    store_widget_state = Bool(False).tag(config=True)

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("kernel_manager_class", CappedKernelManager)
        super().__init__(**kwargs)

    def preprocess(
        self, nb: NotebookNode, resources: Any = None, km: Any = None
    ) -> tuple[NotebookNode, Any]:
        """Run all cells, then settle the outputs by which nbgrader scores."""
        self._problems: list[Problem] = []
        self._stopped: str | None = None  # why no further cell is run
        self._ended: set[int] = set()  # the cells that ran to their end, by index
        self._lost: set[int] = set()  # cells with a message that could not be taken in
        self._exit_asked: str | None = None  # the cell that called exit()
        self._processes = KernelProcesses(None)
        self._begun = False
        self._deadline = monotonic() + self.seconds_per_submission
        student = (resources or {}).get("nbgrader", {}).get("student", "?")
        self._seed = seed_of(self.seed, student)
        nb.metadata.setdefault(METADATA_KEY, NotebookNode())["seed"] = self._seed
        if any(p.kind is Kind.FILE for p in read_problems(nb)):
            self._stopped = "the notebook could not be read"
        else:
            with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as self._ipython_folder:
                self._run(nb, resources, km)
        for index, cell in enumerate(nb.cells):
            if cell.cell_type == "code":
                self._settle(cell, index)
        for problem in self._problems:
            self.log.warning("%s: %s", student, problem.message)
        add_problems(nb, self._problems)
        put_notes_on_top(nb)
        return nb, resources

    # -- the kernel

    def _run(self, nb: NotebookNode, resources: Any, km: Any) -> None:
        folder = resources.get("metadata", {}).get("path") or None
        for _attempt in (1, 2):
            try:
                super().preprocess(nb, resources, km)
                return
            except NoSuchKernel:
                raise
            except Exception as error:
                self.log.warning("%s: kernel: %s", folder, error)
                if self._begun:  # ending the kernel failed; the cells are done
                    return
            finally:
                self._processes.kill()
                if folder:  # student code may have removed it, and the notebook goes there
                    os.makedirs(folder, exist_ok=True)
        check_that_kernels_start(self.kernel_name, self.startup_timeout)
        self._stop(Kind.KERNEL, "no kernel starts in the submission's folder")

    def start_new_kernel(self, **kwargs: Any) -> None:
        """Start the kernel; the notebook's folder is its working folder."""
        if getattr(self.km, "ipykernel", False):
            self.extra_arguments = list(IPYKERNEL_ARGUMENTS)
        environment = kernel_environment(self.blas_threads, self._ipython_folder)
        environment[SEED_VARIABLE] = str(self._seed)
        kwargs.setdefault("env", environment)
        super().start_new_kernel(**kwargs)
        self._processes = KernelProcesses(self.km.provisioner)

    async def _async_responds(self) -> bool:
        """Whether the kernel still answers, after what was sent before has arrived."""
        request = self.kc.kernel_info()
        until = monotonic() + self.iopub_timeout
        try:
            while (left := until - monotonic()) > 0:
                reply = await ensure_async(self.kc.shell_channel.get_msg(timeout=left))
                if reply["parent_header"].get("msg_id") == request:
                    return True
        except Empty:
            pass
        return False

    _responds = run_sync(_async_responds)

    async def _async_is_alive(self) -> bool:
        return bool(await ensure_async(self.km.is_alive()))

    _is_alive = run_sync(_async_is_alive)

    # -- one cell

    def timeout_func(self, cell: NotebookNode) -> float:
        """Return the seconds that a cell may take now."""
        return max(0.01, min(self._limit(cell), self._deadline - monotonic()))

    def _limit(self, cell: NotebookNode) -> float:
        grade_id = _grade_id(cell)
        return float(self.seconds_for_cell.get(grade_id or "", self.seconds_per_cell))

    def preprocess_cell(
        self, cell: NotebookNode, resources: Any, index: int
    ) -> tuple[NotebookNode, Any]:
        """Run a cell unless the submission was stopped."""
        self._begun = True
        if cell.cell_type != "code" or self._stopped:
            return cell, resources
        cell.metadata.pop("tags", None)  # nbclient would skip a cell for a tag
        if not cell.source.strip():
            self._ended.add(index)
            return cell, resources
        if monotonic() >= self._deadline:
            self._stop(
                Kind.TIME_LIMIT, f"{self._of_all()} were used up before {_named(cell)}", cell
            )
            return cell, resources
        self._budget = OutputBudget(self.max_output_bytes_per_cell)
        self._kept_beyond = 0
        self._flooded = False
        self._began = monotonic()
        watchdog = self._processes.kill_after(self.timeout_func(cell) + 3 * self.iopub_timeout + 5)
        try:
            super().preprocess_cell(cell, resources, index)
        except Exception as error:
            try:
                self._after_failure(cell, error)
            except Exception as another:  # what the kernel says now cannot be understood
                self._processes.kill()
                why = f"talking to the kernel failed in {_named(cell)} ({shown(another)})"
                self._stop(Kind.KERNEL, why, cell)
        finally:
            watchdog.cancel()
        return cell, resources

    def _of_all(self) -> str:
        return f"the {self.seconds_per_submission:g} s for the whole submission"

    def _after_failure(self, cell: NotebookNode, error: Exception) -> None:
        """Find out why a cell did not end, and whether the next one can be run."""
        late = monotonic() - self._began >= self._limit(cell)
        if not self._is_alive():
            if self._flooded:
                why = f"the kernel was killed, because {_named(cell)} did not stop printing"
                self._stop(Kind.OUTPUT_LIMIT, why, cell)
            elif self._processes.killed_late:
                why = f"the kernel was killed, because {_named(cell)} did not end after its limit"
                self._stop(Kind.TIME_LIMIT, why, cell)
            elif self._exit_asked:
                self._stop(Kind.KERNEL, f"{self._exit_asked} ended the kernel by exit() or quit()")
            else:
                self._stop(Kind.KERNEL, f"the kernel died while running {_named(cell)}", cell)
        elif self._responds():
            if late or monotonic() >= self._deadline:
                self._report_time_limit(cell)
            elif not self._flooded:
                message = f"The outputs of {_named(cell)} were lost ({shown(error)})."
                self._report(Kind.KERNEL, message, cell)
        else:
            self._processes.kill()
            limit = f"{self._limit(cell):g} s"
            why = f"the kernel was killed, because {_named(cell)} could not be interrupted"
            self._stop(Kind.TIME_LIMIT, f"{why} after its {limit}", cell)

    def on_cell_executed(self, **kwargs: Any) -> None:
        """Note how a cell ended."""
        cell, reply = kwargs["cell"], kwargs["execute_reply"]
        content = reply["content"]
        if "header" not in reply:  # made up by nbclient when it interrupted the cell
            content["evalue"] = self._report_time_limit(cell)
        if content.get("status") in ("ok", "error"):
            self._ended.add(kwargs["cell_index"])
        if content.get("status") == "error" and "ename" in content:
            super().on_cell_executed(**kwargs)
        payload = content.get("payload")
        for entry in payload if isinstance(payload, list) else ():
            if isinstance(entry, dict) and entry.get("source") == "ask_exit":
                self._exit_asked = _named(cell)

    # -- outputs

    def process_message(
        self, msg: dict[str, Any], cell: NotebookNode, cell_index: int
    ) -> NotebookNode | None:
        """Take in a message of the kernel, as long as the cell's outputs are within the limit."""
        flow = self._budget.take(msg, self._display_id_map)
        if flow is not Flow.FINE:
            self._stem(flow, cell)
            if msg["msg_type"] not in ("error", "execute_result"):
                return None
            self._kept_beyond += 1
            if self._kept_beyond > _MOST_KEPT_BEYOND:
                return None
        try:
            output: NotebookNode | None = super().process_message(msg, cell, cell_index)
            return output
        except CellExecutionComplete:
            raise
        except Exception as error:  # a message that is not as it should be: student code sent it
            self.log.debug("message dropped: %s", error)
            self._lost.add(cell_index)
            return None

    def _stem(self, flow: Flow, cell: NotebookNode) -> None:
        """Interrupt a cell that goes on printing beyond its limit; kill it if it goes on still."""
        limit = f"{self._budget.limit:,} bytes"
        if flow is Flow.FULL:
            note = f"\n… output beyond {limit} was dropped\n"
            cell.outputs.append(new_output("stream", name="stdout", text=note))
            message = f"{_at_start(cell)} printed more than {limit}: the rest was dropped."
            self._report(Kind.OUTPUT_LIMIT, message, cell, Severity.MENDED)
        # Signals are sent from here: while messages keep coming, nothing else of nbclient's runs.
        if flow is Flow.FLOOD and not self._flooded:
            self._flooded = True
            self._processes.interrupt()
            message = f"{_at_start(cell)} did not stop printing: it was interrupted."
            self._report(Kind.OUTPUT_LIMIT, message, cell)
        if flow is Flow.TORRENT:
            self._processes.kill()

    def _settle(self, cell: NotebookNode, index: int) -> None:
        lost = outputs.settle(cell) or index in self._lost
        if not is_grade(cell) or is_solution(cell):
            return
        outputs.warnings_to_stdout(cell)
        if index not in self._ended:
            outputs.fail(cell, f"not run to its end: {self._stopped or 'it was interrupted'}")
        elif lost:
            outputs.fail(cell, "an output of this test is not valid in a notebook")
        elif why := outputs.why_no_score(cell, float(cell.metadata.nbgrader["points"])):
            self._report(Kind.SCORE, f"{_at_start(cell)} {why}: it scores 0.", cell)
            outputs.fail(cell, why)

    # -- reports

    def _stop(self, kind: Kind, why: str, cell: NotebookNode | None = None) -> None:
        self._stopped = why
        self._report(kind, f"The rest of the notebook was not run: {why}. Its tests score 0.", cell)

    def _report_time_limit(self, cell: NotebookNode) -> str:
        limit = f"{self._limit(cell):g} s"
        if monotonic() >= self._deadline:
            limit = self._of_all()
        message = f"{_at_start(cell)} did not end within {limit}: it was interrupted."
        self._report(Kind.TIME_LIMIT, message, cell)
        return f"not ended within {limit}"

    def _report(
        self,
        kind: Kind,
        message: str,
        cell: NotebookNode | None = None,
        severity: Severity = Severity.FAILED,
    ) -> None:
        grade_id = _grade_id(cell) if cell is not None else None
        self._problems.append(Problem(kind, severity, message, grade_id))


def seed_of(seed: int, student: str) -> int:
    """Return the seed of one submission: the same in every run, another for every student."""
    digest = hashlib.sha256(f"{seed}/{student}".encode("utf-8", "replace")).digest()
    return int.from_bytes(digest[:4], "big")


def _at_start(cell: NotebookNode) -> str:
    name = _named(cell)
    return name[0].upper() + name[1:]


def _grade_id(cell: NotebookNode) -> str | None:
    grade_id = cell.metadata.get("nbgrader", {}).get("grade_id")
    return grade_id if isinstance(grade_id, str) else None


def _named(cell: NotebookNode) -> str:
    grade_id = _grade_id(cell)
    if grade_id:
        return f"cell {shown(grade_id)}"
    return f"the cell that begins {shown(cell.source.strip().partition(chr(10))[0], 40)}"
