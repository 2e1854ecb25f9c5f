"""The student's desk: ``python -m hw_support doctor | check | pdf | zip``."""

import argparse
import contextlib
import importlib.util
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from hw_support.desk.doctor import INSTALL, doctor
from hw_support.desk.errors import DeskError

FINE, TO_DO, CANNOT, STOPPED = 0, 1, 2, 130


def main(words: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status.

    It is 0 if all is fine, 1 if there is something left to do, 2 if it could not be done, 130 if it
    was stopped by Ctrl-C, or nobody reads its output.
    """
    parser = _parser()
    words = sys.argv[1:] if words is None else words
    if not words:
        print(_summary(parser))
        return FINE
    options = parser.parse_args(words)
    for stream in (sys.stdout, sys.stderr):  # show "?" where a terminal has no "−"
        with contextlib.suppress(AttributeError):
            stream.reconfigure(errors="replace")  # type: ignore[union-attr]
    try:
        if options.command == "doctor":
            status = FINE if doctor() else TO_DO
        else:
            status = int(options.do(_opened(options), options))
        sys.stdout.flush()
        return status
    except DeskError as error:
        print(error, file=sys.stderr)
        return CANNOT
    except BrokenPipeError:  # as in `check … | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # Python flushes at the end
        return STOPPED
    except KeyboardInterrupt:
        print("\nStopped. Your notebook is unchanged.", file=sys.stderr)
        return STOPPED


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m hw_support",
        description="Check and pack your homework before you submit it.",
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND", dest="command")
    commands.add_parser("doctor", help="check Python, the packages, the kernel, memory and disk")

    def command(name: str, do: Any, what: str) -> argparse.ArgumentParser:
        made = commands.add_parser(name, help=what)
        notebook = "your notebook (default: the only one in this folder)"
        made.add_argument("notebook", type=Path, nargs="?", help=notebook)
        made.set_defaults(do=do)
        return made

    check = command(
        "check", _check, "run a copy of the notebook as the grader does, and list what to do"
    )
    repair = "restore the instructor's cells in a new file, and run nothing"
    check.add_argument("--repair", action="store_true", help=repair)

    pdf = command("pdf", _pdf, "make a PDF of the finished notebook")
    pdf.add_argument("--run", action="store_true", help="run a copy from the top first")
    to = "file or folder; default: beside the notebook"
    pdf.add_argument("--to", type=Path, metavar="FILE", help=to)

    packed = command("zip", _zip, "check the notebook, then pack the file that you submit")
    student = "your student id (default: the one in the certification)"
    packed.add_argument("--student", metavar="ID", help=student)
    packed.add_argument("--to", type=Path, metavar="FOLDER", help="default: beside the notebook")
    no_check = "pack the notebook without running it"
    packed.add_argument("--no-check", action="store_true", help=no_check)
    return parser


def _summary(parser: argparse.ArgumentParser) -> str:
    (commands,) = (a for a in parser._actions if isinstance(a, argparse._SubParsersAction))
    lines = [
        f"  python -m hw_support {choice.dest:<7} {choice.help}"
        for choice in commands._choices_actions
    ]
    end = (
        "\nAdd the notebook's name to each command but doctor.\nYou can leave it out if this "
        "folder has only one notebook."
    )
    return "\n".join(["Check and pack your homework before you submit it:", *lines]) + end


def _opened(options: Any) -> Any:
    for name in ("nbclient", "nbformat"):
        if importlib.util.find_spec(name) is None:
            raise DeskError(f"{name} is not installed. Type: {INSTALL}")
    from hw_support.desk.opening import open_notebook
    from hw_support.submission.released import releases

    if options.notebook is None:
        options.notebook = _only_notebook(options.command, Path())
        print(f"{options.notebook} is the only notebook in this folder.")
    return open_notebook(options.notebook, releases())


def _only_notebook(command: str, folder: Path) -> Path:
    found = sorted(path.name for path in folder.glob("*.ipynb") if path.is_file())
    if len(found) == 1:
        return folder / found[0]
    if not found:
        raise DeskError(
            f"There is no notebook in {folder.absolute()}. Go to the homework's folder (cd), or "
            f"type: python -m hw_support {command} PATH/TO/YOUR.ipynb"
        )
    listed = "\n".join(f'  python -m hw_support {command} "{name}"' for name in found)
    raise DeskError(f"There are {len(found)} notebooks in this folder. Type one of:\n{listed}")


def _check(opened: Any, options: Any) -> int:
    return _repair(opened) if options.repair else _report(opened)


def _report(opened: Any) -> int:
    from hw_support.desk import check

    report = check.check(opened)
    print(*check.in_words(report), sep="\n")
    return FINE if report.fine else TO_DO


def _repair(opened: Any) -> int:
    from hw_support.desk import check

    if not opened.changes:
        print("All cells of the instructor are unchanged: there is nothing to restore.")
        return FINE
    try:
        path = check.write_repaired(opened)
    except OSError as error:
        where = error.filename or opened.path.parent
        raise DeskError(
            f"{where} cannot be written ({error.strerror or error}). Your own file is unchanged. "
            "Copy it into a folder where you may write and that has free space, and run this "
            "command there."
        ) from error
    print(f"{path} has the instructor's cells. Your own file is unchanged. Changes:")
    for change in opened.changes:
        print(f"  - {change.message}")
    print(f"Read the new file, then save it as {opened.path.name}.")
    return FINE


def _pdf(opened: Any, options: Any) -> int:
    from hw_support.desk import check, pdf

    path, notebook = opened.path, opened.notebook
    target = options.to or path.with_suffix(".pdf")
    if target.is_dir():
        target /= path.with_suffix(".pdf").name
    pdf.expect_writable(target)
    if options.run:
        notebook = check.run_copy(opened, like_grader=False).notebook
    elif gaps := pdf.gaps(notebook):
        listed = "\n".join(f"  - {gap}" for gap in gaps)
        raise DeskError(
            f"{path.name} does not look finished:\n{listed}\nIn JupyterLab choose Kernel → "
            "Restart Kernel and Run All Cells…, save the notebook, and run this command again. "
            "Or add --run: then the command runs a copy of the notebook first."
        )
    for warning in pdf.write_pdf(notebook, target, opened.release.certification):
        print(f"- {warning}")
    print(f"The PDF is {target}. Read it before you submit it.")
    return FINE


def _zip(opened: Any, options: Any) -> int:
    from hw_support.desk import handin

    student = options.student
    student = handin.student_id_of(opened) if student is None else handin.checked_id(student)
    folder = handin.checked_folder(options.to or opened.path.absolute().parent)
    status = FINE
    if not options.no_check:
        status = _report(opened)
        print()
    path, entry, digest = handin.pack(opened, student, folder)
    print(f"{path}\ncontains {entry} (SHA-256 {digest})")
    print("Submit this file. Keep the line above: it identifies the file that you submitted.")
    if status == TO_DO:
        print("The list above shows what is left to do. You can submit again until the due date.")
    return status


if __name__ == "__main__":
    sys.exit(main())
