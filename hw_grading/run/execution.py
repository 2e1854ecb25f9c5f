"""Runs a submission: its cells in a sandbox, its test cells in the examiner, under limits.

This is nbgrader's `Execute` with four changes.

1. *Verdicts are made elsewhere.* The kernel runs every cell as it ran on the student's desk: of a
   test cell the part that students have. Its outputs are dropped. Then the examiner, a process in
   which no student code runs, runs the whole test cell and asks the kernel what it needs to know
   (`hw_grading.examiner`). What nbgrader scores by comes from there, and is put into the notebook
   when the kernel has ended.
2. *Whatever a submission does ends in a score and a reason.* A test without a verdict gets an error
   as output, because nbgrader gives full marks to a test without outputs. A fault that is not the
   submission's raises `GraderFault`: nbgrader then leaves that student without a score rather than
   with a zero.
3. *Limits* of time, memory, processes, files and output, of each cell and of the submission. A
   cell that does not end is interrupted; if that does not help, all that it started is killed.
4. *Outputs are made safe to open*: HTML of student cells is cleaned (`hw_grading.pages.safe_html`).
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from time import monotonic
from typing import Any

from nbclient.exceptions import CellExecutionComplete
from nbclient.util import ensure_async, run_sync
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_output
from nbgrader.preprocessors import Execute
from nbgrader.utils import is_grade, is_locked, is_solution
from traitlets import Bool, Enum

from hw_grading.examiner.client import Examination, ExaminerFailed, ImportCheck
from hw_grading.homework.instructor_cells import as_released
from hw_grading.outcome import GraderFault, HelperEnded
from hw_grading.pages import safe_html
from hw_grading.run import outputs
from hw_grading.run.limits import LimitSettings
from hw_grading.run.outputs import Flow, OutputBudget
from hw_grading.sandbox import available, environment
from hw_grading.sandbox.kernel import KernelInSandbox
from hw_grading.sandbox.watch import Stop, Watch
from hw_support.submission.mending import grade_id_of
from hw_support.submission.problems import (
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


# What the kernel runs while the examiner asks it: a module that only the sandbox has.
_ANSWER = "__import__('answering.start').start.answer()"
_SECONDS_FOR_A_LAST_WORD = 5.0  # when the kernel says that it has no more questions to answer
_SECONDS_FOR_A_VERDICT = 60.0


class ExecuteSubmission(LimitSettings, Execute):
    """Run the cells of one submission; stands in `autograde_preprocessors` for `Execute`."""

    shutdown_kernel = Enum(["graceful", "immediate"], default_value="immediate").tag(config=True)
    store_widget_state = Bool(False).tag(config=True)

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("kernel_manager_class", KernelInSandbox)
        super().__init__(**kwargs)
        self._watch: Watch | None = None

    @property
    def cpu_seconds_used(self) -> float:
        """Computing time of the student's processes, in the submission that was run last."""
        return self._watch.used_seconds if self._watch else 0.0

    @property
    def kernel_died(self) -> bool:
        """Whether the kernel of that submission ended, and nobody knows why."""
        return self._died and not self._exit_asked

    def check(self, secrets: list[Path]) -> None:
        """Expect that submissions can be graded as they are to be.

        Raises
        ------
        GraderFault
            They cannot, on this machine, with these settings.
        """
        imports = ImportCheck(self.homework)
        try:
            if self.sandbox != "none":
                available.check(environment.shown(self.blas_threads, secrets), self.of_sandbox())
        finally:
            imports.wait()

    def preprocess(
        self, nb: NotebookNode, resources: Any = None, km: Any = None
    ) -> tuple[NotebookNode, Any]:
        """Run all cells, then settle the outputs by which nbgrader scores."""
        self._problems: list[Problem] = []
        self._stopped: str | None = None  # why no further cell is run
        self._fault: GraderFault | None = None
        self._lost: set[int] = set()  # cells with a message that could not be taken in
        self._exit_asked: str | None = None  # the cell that called exit()
        self._verdicts: dict[int, list[Any]] = {}
        self._trusted: list[tuple[str, str]] = []  # the instructor's cells since the last test
        self._watch = None
        self._examination: Examination | None = None
        self._manager: KernelInSandbox | None = None
        self._begun = False
        self._died = False  # the kernel, for no reason that is known
        self._deadline = monotonic() + self.wall_seconds_per_submission
        student = (resources or {}).get("nbgrader", {}).get("student", "?")
        self._seed = seed_of(self.homework.manifest.seed, student)
        nb.metadata.setdefault(METADATA_KEY, NotebookNode())["seed"] = self._seed
        if any(p.kind is Kind.FILE for p in read_problems(nb)):
            self._stopped = "the notebook could not be read"
        else:
            self._run(nb, resources)
        if self._fault:
            raise self._fault
        for index, cell in enumerate(nb.cells):
            if cell.cell_type == "code":
                self._settle(cell, index)
        add_problems(nb, self._problems)
        put_notes_on_top(nb)
        return nb, resources

    # -- the kernel

    def _run(self, nb: NotebookNode, resources: Any) -> None:
        self._first = _instructors_first_cells(nb)
        for attempt in (1, 2):
            try:
                super().preprocess(nb, resources, None)
                return
            except Exception as error:
                self.log.warning("kernel: %s: %s", type(error).__name__, error)
                if self._begun:  # ending the kernel failed; the cells are done
                    return
                if attempt == 2:
                    why = self._watch.stop.reason if self._watch and self._watch.stop else error
                    self._fault = GraderFault(f"no kernel can be started ({why})")
            finally:
                self._end()

    def _end(self) -> None:
        """End everything that the submission started, and wait until it is gone."""
        if self._watch:
            self._watch.kill()
            self._watch.end()
        if self._examination:
            self._examination.end()
        if self._manager:
            self._manager.remove_run_folder()

    def create_kernel_manager(self) -> Any:
        """Make the manager of a kernel in a sandbox."""
        manager = super().create_kernel_manager()
        if self.sandbox != "none":
            manager.shown = environment.shown(self.blas_threads, [], self.homework.manifest.preload)
        manager.limits = self.of_sandbox()
        manager.forked = self.fork_kernels
        self._manager = manager
        return manager

    async def async_start_new_kernel(self, **kwargs: Any) -> None:
        """Start the kernel, those who watch it, and those who examine it."""
        threads = dict.fromkeys(environment.BLAS_VARIABLES, str(self.blas_threads or ""))
        kwargs["env"] = {**os.environ, **(threads if self.blas_threads else {})}
        await super().async_start_new_kernel(**kwargs)
        await self.km.take_sockets(self.startup_timeout)
        provisioner = self.km.provisioner
        self._watch = Watch(
            provisioner.kernel_pid,
            provisioner.root_pid,
            memory_mb=self.memory_mb,
            cpu_seconds=self.cpu_seconds_per_submission,
            most_files=self.files if self.sandbox != "none" else None,
        )
        self._examination = Examination(
            provisioner.link,
            provisioner.kernel_pid,
            provisioner.root_pid,
            self._seed,
            list(self._first.items()),
            self.homework,
        )

    start_new_kernel = run_sync(async_start_new_kernel)

    async def _async_responds(self) -> bool:
        """Whether the kernel still answers, after what was sent before has arrived.

        It is asked over new connections: those in use may have been closed by a message that was
        too large, or damaged.
        """
        self.kc.stop_channels()
        self.kc: Any = self.km.client()
        self.kc.allow_stdin = False
        self.kc.start_channels()
        try:
            await ensure_async(self.kc.wait_for_ready(timeout=self.iopub_timeout))
        except RuntimeError:
            return False
        return True

    _responds = run_sync(_async_responds)

    async def _async_is_alive(self) -> bool:
        return bool(await ensure_async(self.km.is_alive()))

    _is_alive = run_sync(_async_is_alive)

    # -- one cell

    def timeout_func(self, cell: NotebookNode) -> float:
        """Return the seconds that may pass in a cell now."""
        left: float = min(self._wall_limit, self._deadline - monotonic())
        return max(0.01, left)

    def preprocess_cell(
        self, cell: NotebookNode, resources: Any, index: int
    ) -> tuple[NotebookNode, Any]:
        """Run a cell unless the submission was stopped; have a test cell examined."""
        self._begun = True
        if cell.cell_type != "code" or self._stopped:
            return cell, resources
        cell.metadata.pop("tags", None)  # nbclient would skip a cell for a tag
        if monotonic() >= self._deadline:
            self._stop(
                Kind.TIME_LIMIT, f"{self._of_all()} were used up before {_named(cell)}", cell
            )
        elif _is_test(cell):
            self._run_in_kernel(cell, new_code_cell(as_released(cell.source, "code")), index)
            if not self._stopped and not self._died:
                self._examine(cell, index)
        else:
            self._run_in_kernel(cell, cell, index)
            if _is_trusted(cell) and grade_id_of(cell) not in self._first:
                self._trusted.append((grade_id_of(cell) or "", cell.source))
        if self._died and not self._stopped:
            self._stop(Kind.KERNEL, f"the kernel died while running {_named(cell)}", cell)
        return cell, resources

    def _examine(self, cell: NotebookNode, index: int) -> None:
        """Let the kernel answer while the examiner runs the test cell."""
        assert self._examination
        assert self._watch
        try:
            self._examination.begin(self._trusted, grade_id_of(cell) or "", cell.source)
            self._trusted = []
            self._run_in_kernel(cell, new_code_cell(_ANSWER), index, store_history=False)
            if not self._examination.has_verdict(_SECONDS_FOR_A_LAST_WORD):
                self._watch.kill(Stop(Kind.PROTOCOL, "it stopped answering"))
            verdict = self._examination.verdict(_SECONDS_FOR_A_VERDICT)
        except ExaminerFailed as fault:
            self._fault = fault
            self._stop(Kind.GRADER, str(fault), cell)
            return
        self._verdicts[index] = verdict.outputs
        # Who does not keep to the protocol is killed by the examiner: then that is the reason.
        if verdict.gone and not self._stopped and not (self._died and verdict.ended):
            why = f"the notebook could not be asked any more in {_named(cell)}: {verdict.gone}"
            self._stop(Kind.PROTOCOL, why, cell)

    def _run_in_kernel(
        self, cell: NotebookNode, run: NotebookNode, index: int, *, store_history: bool = True
    ) -> None:
        """Run code in the kernel on behalf of a cell, and find out how it ended."""
        assert self._watch
        if not run.source.strip():
            return
        run.metadata = cell.metadata  # by which messages name it
        self._budget = OutputBudget(self.output_bytes_per_cell)
        self._kept_beyond = 0
        self._flooded = False
        self._timed_out = False
        self._wall_limit = self.wall_seconds_of(grade_id_of(cell))
        passing = self.timeout_func(cell) + 3 * self.iopub_timeout + 5
        self._watch.begin_cell(self.cpu_seconds_of(grade_id_of(cell)), _named(cell), passing)
        error = None
        try:
            self.execute_cell(run, index, store_history=store_history)
        except Exception as raised:
            error = raised
        finally:
            self.nb.cells[index] = cell  # nbclient has put `run` there
        try:
            self._look_after(cell, error, self._watch.end_cell())
        except Exception as another:  # what the kernel says now cannot be understood
            self._watch.kill()
            why = f"talking to the kernel failed in {_named(cell)} ({shown(another)})"
            self._stop(Kind.KERNEL, why, cell)

    def _look_after(
        self, cell: NotebookNode, error: Exception | None, interrupted: Stop | None
    ) -> None:
        """Report how a cell ended, and stop the submission if no further one can be run."""
        assert self._watch
        stopped = self._watch.stop
        if stopped and stopped.kind is Kind.GRADER:
            self._fault = GraderFault(stopped.reason)
        if stopped:
            why = f"the kernel was killed in {_named(cell)}, because {stopped.reason}"
            self._stop(stopped.kind, why, cell)
        elif error is None and not self._timed_out:
            if interrupted:
                self._report_time_limit(cell, interrupted.reason)
        elif not self._is_alive():
            if self._exit_asked:
                self._stop(Kind.KERNEL, f"{self._exit_asked} ended the kernel by exit() or quit()")
            place = self.km.provisioner.nursery if self.km else None
            if place and place.has_ended(within=0.5):
                self._fault = HelperEnded("the process that forks kernels has ended")
                self._stop(Kind.GRADER, str(self._fault), cell)
            self._died = True
        elif self._responds():
            if interrupted or self._timed_out or monotonic() >= self._deadline:
                reason = interrupted.reason if interrupted else self._within()
                self._report_time_limit(cell, reason)
            elif not self._flooded:
                message = f"The outputs of {_named(cell)} were lost ({shown(error)})."
                self._report(Kind.KERNEL, message, cell)
        else:
            self._watch.kill()
            why = f"the kernel was killed, because {_named(cell)} could not be interrupted"
            self._stop(Kind.TIME_LIMIT, f"{why} after its time was up", cell)

    def on_cell_executed(self, **kwargs: Any) -> None:
        """Note how a cell ended."""
        cell, reply = kwargs["cell"], kwargs["execute_reply"]
        content = reply["content"]
        if "header" not in reply:  # made up by nbclient when it interrupted the cell
            self._timed_out = True
            content["evalue"] = f"not ended {self._within()}"
            self._report_time_limit(cell, self._within())
        if content.get("status") == "error" and "ename" in content:
            super().on_cell_executed(**kwargs)
        payload = content.get("payload")
        for entry in payload if isinstance(payload, list) else ():
            if isinstance(entry, dict) and entry.get("source") == "ask_exit":
                self._exit_asked = _named(cell)

    def _of_all(self) -> str:
        return f"the {self.wall_seconds_per_submission:g} s for the whole submission"

    def _within(self) -> str:
        limit = f"{self._wall_limit:g} s"
        return f"within {self._of_all() if monotonic() >= self._deadline else limit}"

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
        assert self._watch
        limit = f"{self._budget.limit:,} bytes"
        if flow is Flow.FULL:
            note = f"\n… output beyond {limit} was dropped\n"
            cell.outputs.append(new_output("stream", name="stdout", text=note))
            message = f"{_at_start(cell)} printed more than {limit}: the rest was dropped."
            self._report(Kind.OUTPUT_LIMIT, message, cell, Severity.MENDED)
        # Signals are sent from here: while messages keep coming, nothing else of nbclient's runs.
        if flow is Flow.FLOOD and not self._flooded:
            self._flooded = True
            self._watch.interrupt()
            message = f"{_at_start(cell)} did not stop printing: it was interrupted."
            self._report(Kind.OUTPUT_LIMIT, message, cell)
        if flow is Flow.TORRENT:
            why = f"{_named(cell)} did not stop printing"
            self._watch.kill(Stop(Kind.OUTPUT_LIMIT, why))

    def _settle(self, cell: NotebookNode, index: int) -> None:
        """Leave outputs that a notebook can hold, that are safe to open, and that score."""
        if not _is_test(cell):
            outputs.settle(cell)
            safe_html.clean_outputs(cell)
            return
        cell.outputs = [new_output(**output) for output in self._verdicts.get(index, [])]
        cell.execution_count = None
        outputs.settle(cell)
        if index not in self._verdicts:
            outputs.fail(cell, f"not run to its end: {self._stopped or 'it was interrupted'}")
        elif why := outputs.why_no_score(cell, float(cell.metadata.nbgrader["points"])):
            self._report(Kind.SCORE, f"{_at_start(cell)} {why}: it scores 0.", cell)
            outputs.fail(cell, why)

    # -- reports

    def _stop(self, kind: Kind, why: str, cell: NotebookNode | None = None) -> None:
        self._stopped = why
        self._report(kind, f"The rest of the notebook was not run: {why}. Its tests score 0.", cell)

    def _report_time_limit(self, cell: NotebookNode, within: str) -> None:
        message = f"{_at_start(cell)} did not end {within}: it was interrupted."
        if not any(problem.message == message for problem in self._problems):
            self._report(Kind.TIME_LIMIT, message, cell)

    def _report(
        self,
        kind: Kind,
        message: str,
        cell: NotebookNode | None = None,
        severity: Severity = Severity.FAILED,
    ) -> None:
        grade_id = grade_id_of(cell) if cell is not None else None
        self._problems.append(Problem(kind, severity, message, grade_id))


def seed_of(seed: int, student: str) -> int:
    """Return the seed of one submission: the same in every run, another for every student."""
    digest = hashlib.sha256(f"{seed}/{student}".encode("utf-8", "replace")).digest()
    return int.from_bytes(digest[:4], "big")


def _is_test(cell: NotebookNode) -> bool:
    return bool(cell.cell_type == "code" and is_grade(cell) and not is_solution(cell))


def _is_trusted(cell: NotebookNode) -> bool:
    """Whether a cell of code is the instructor's to the letter, and binds names for tests."""
    locked = cell.cell_type == "code" and is_locked(cell)
    return bool(locked and not is_grade(cell) and not is_solution(cell))


def _instructors_first_cells(nb: NotebookNode) -> dict[str, str]:
    """Return the instructor's cells, by grade id, that stand before every answer and test of code.

    They bind the same names in every submission, so that the examiner runs them but once.
    """
    first = {}
    for cell in nb.cells:
        if cell.cell_type == "code" and (is_solution(cell) or is_grade(cell)):
            break
        if _is_trusted(cell):
            first[grade_id_of(cell) or ""] = cell.source
    return first


def _at_start(cell: NotebookNode) -> str:
    name = _named(cell)
    return name[0].upper() + name[1:]


def _named(cell: NotebookNode) -> str:
    grade_id = grade_id_of(cell)
    if grade_id:
        return f"cell {shown(grade_id)}"
    return f"the cell that begins {shown(cell.source.strip().partition(chr(10))[0], 40)}"
