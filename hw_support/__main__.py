"""The student's commands: ``python -m hw_support doctor | check | pdf | zip``."""

import argparse
import contextlib
import functools
import hashlib
import importlib.util
import os
import re
import sys
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from hw_support.errors import UserError
from hw_support.in_one_step import in_one_step
from hw_support.student.doctor import INSTALL, lines, told

FINE, TO_DO, CANNOT, STOPPED = 0, 1, 2, 130
_FOR_ID = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.@+-]{0,63}")


def main(words: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status.

    It is 0 if all is fine, 1 if there is something left to do, 2 if it could not be done, 130 if it
    was stopped by Ctrl-C.
    """
    parser = _parser()
    words = sys.argv[1:] if words is None else words
    if not words:
        parser.print_help()
        return FINE
    options = parser.parse_args(words)
    for stream in (sys.stdout, sys.stderr):  # show "?" where a terminal has no "−"
        with contextlib.suppress(AttributeError):
            stream.reconfigure(errors="replace")  # type: ignore[union-attr]
    try:
        if options.command == "doctor":
            return FINE if told(lines(), functools.partial(print, flush=True)) else TO_DO
        return int(options.do(_opened(options), options))
    except UserError as error:
        print(error, file=sys.stderr)
        return CANNOT
    except KeyboardInterrupt:
        print("\nStopped. Your notebook is unchanged.", file=sys.stderr)
        return STOPPED


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m hw_support",
        description="Check and pack your homework before you submit it.",
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND", dest="command")
    commands.add_parser("doctor", help="check Python, the packages, the kernel and the disk")

    def command(name: str, do: Any, what: str) -> argparse.ArgumentParser:
        made = commands.add_parser(name, help=what)
        made.add_argument("notebook", type=Path, help="the file with your answers")
        made.set_defaults(do=do)
        return made

    command("check", _check, "run a copy of the notebook as the grader does, and list what to do")
    pdf = command("pdf", _pdf, "make a PDF of the finished notebook")
    pdf.add_argument("--run", action="store_true", help="run a copy from the top first")
    fold = "leave out the course's long texts, but for their headings"
    pdf.add_argument("--answers", action="store_true", help=fold)
    to = "file or folder; default: beside the notebook"
    pdf.add_argument("--to", type=Path, metavar="FILE", help=to)
    packed = command("zip", _zip, "check the notebook, then pack the file that you submit")
    student = "your student id (default: the one in the certification)"
    packed.add_argument("--student", metavar="ID", help=student)
    packed.add_argument("--to", type=Path, metavar="FOLDER", help="default: beside the notebook")
    no_check = "pack the notebook without running it"
    packed.add_argument("--no-check", action="store_true", help=no_check)
    return parser


def _opened(options: Any) -> Any:
    for name in ("nbclient", "nbformat"):
        if importlib.util.find_spec(name) is None:
            raise UserError(f"{name} is not installed. Type: {INSTALL}")
    from hw_support.student.opening import open_notebook

    return open_notebook(options.notebook)


def _check(opened: Any, options: Any) -> int:
    from hw_support.student import check

    report = check.check(opened)
    print(*check.in_words(report), sep="\n")
    if options.command == "check":
        print(check.next_step(report))
    return FINE if report.fine else TO_DO


def _pdf(opened: Any, options: Any) -> int:
    from hw_support.student import pdf
    from hw_support.student.certification import NAME, written_in
    from hw_support.student.in_notebook import NOTEBOOK_VARIABLE
    from hw_support.student.running import run_copy

    path, notebook = opened.path, opened.notebook
    target = options.to or path.with_suffix(".pdf")
    if target.is_dir():
        target /= path.with_suffix(".pdf").name
    pdf.expect_writable(target)
    if options.run:
        notebook = run_copy(opened, like_grader=False).notebook
    code = [c for c in notebook.cells if c.cell_type == "code" and c.source.strip()]
    counts = [cell.get("execution_count") or 0 for cell in code]
    if not all(counts) or counts != sorted(counts):
        add = "type hw_support.pdf(run=True)" if NOTEBOOK_VARIABLE in os.environ else "add --run"
        raise UserError(
            f"{path.name} does not look finished: not all cells were run in order, from top to "
            "bottom. Restart the kernel, run all cells, save the notebook, and run this command "
            f"again. Or {add}: then a copy of the notebook is run first."
        )
    name, is_given = written_in(opened.certification, NAME), opened.release.gave
    for warning in pdf.write_pdf(
        notebook, target, author=name, is_given=is_given, answers=options.answers
    ):
        print(f"- {warning}")
    print(f"The PDF is {target}. Read it before you submit it.")
    return FINE


def _zip(opened: Any, options: Any) -> int:
    from hw_support.student.certification import STUDENT_ID, missing_in, written_in

    signed, student = opened.certification, options.student
    student = written_in(signed, STUDENT_ID) if student is None else student
    if not _FOR_ID.fullmatch(student):
        write = f"Write yours into the certification, below **{STUDENT_ID}:**, and save. Or add"
        raise UserError(
            "A student id is needed for the zip's name, of letters, digits and _ . @ + -; found "
            f"{student[:60]!r}. {write if opened.release.certification else 'Add'} --student and "
            "your id to the command."
        )
    status = FINE
    if not options.no_check:
        status = _check(opened, options)
        print()
    elif (name := opened.release.certification) and (
        missing := missing_in(signed, opened.release.cell(name).source)
    ):
        print(f"The certification is not signed: {missing}.\n")
        status = TO_DO
    name = f"{student}_{opened.release.notebook}"
    path = (options.to or opened.path.absolute().parent) / f"{name}.zip"
    try:
        with (
            in_one_step(path) as partial,
            zipfile.ZipFile(partial, "x", zipfile.ZIP_DEFLATED) as archive,
        ):
            archive.writestr(f"{name}.ipynb", opened.content)
    except OSError as error:
        raise UserError(
            f"{path} cannot be written ({error.strerror or error}). Name another folder with "
            "--to, or free some space."
        ) from error
    digest = hashlib.sha256(opened.content).hexdigest()
    print(f"{path}\ncontains {name}.ipynb (SHA-256 {digest})")
    print("Submit this file. Keep the line above: it identifies the file that you submitted.")
    if status == TO_DO:
        print("The list above shows what is left to do. You can submit again until the due date.")
    return status


if __name__ == "__main__":
    sys.exit(main())
