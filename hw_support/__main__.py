"""The student's desk: ``python -m hw_support doctor | check | pdf | zip``."""

from __future__ import annotations

import argparse
import contextlib
import importlib.util
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from hw_support.desk.errors import DeskError

FINE, TO_DO, CANNOT, STOPPED = 0, 1, 2, 130
_NOTEBOOK: dict[str, Any] = {
    "type": Path,
    "nargs": "?",
    "help": "your notebook (default: the only one in this folder)",
}


def main(words: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status.

    Returns
    -------
    int
        0 if all is fine, 1 if there is something left to do, 2 if it could not be done, 130 if it
        was stopped by Ctrl-C.
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
    if missing := [name for name in options.needs if importlib.util.find_spec(name) is None]:
        print(f"{missing[0]} is not installed. Type: {_install()}", file=sys.stderr)
        return CANNOT
    try:
        if "notebook" in options and options.notebook is None:
            options.notebook = _only_notebook(options.command, Path())
            print(f"{options.notebook} is the only notebook in this folder.")
        return int(options.do(options))
    except DeskError as error:
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

    doctor = commands.add_parser(
        "doctor", help="check Python, the packages, the kernel, memory and disk"
    )
    doctor.set_defaults(do=_doctor, needs=())

    check = commands.add_parser(
        "check",
        help="run a copy of the notebook as the grader does, and list what to do",
    )
    check.add_argument("notebook", **_NOTEBOOK)
    check.add_argument(
        "--repair",
        action="store_true",
        help="restore the instructor's cells in a new file, and run nothing",
    )
    check.set_defaults(do=_check, needs=("nbclient", "nbformat"))

    pdf = commands.add_parser("pdf", help="make a PDF of the finished notebook")
    pdf.add_argument("notebook", **_NOTEBOOK)
    pdf.add_argument("--run", action="store_true", help="run a copy from the top first")
    pdf.add_argument("--to", type=Path, metavar="FILE", help="default: beside the notebook")
    pdf.set_defaults(do=_pdf, needs=("nbclient", "nbformat"))

    packed = commands.add_parser(
        "zip", help="check the notebook, then pack the file that you submit"
    )
    packed.add_argument("notebook", **_NOTEBOOK)
    packed.add_argument(
        "--student", metavar="ID", help="your student id (default: the one in the certification)"
    )
    packed.add_argument("--to", type=Path, metavar="FOLDER", help="default: beside the notebook")
    packed.add_argument(
        "--no-check", action="store_true", help="pack the notebook without running it"
    )
    packed.set_defaults(do=_zip, needs=("nbclient", "nbformat"))
    return parser


def _summary(parser: argparse.ArgumentParser) -> str:
    """Return a line for each command, as people type it."""
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


def _only_notebook(command: str, folder: Path) -> Path:
    """Return the only notebook in a folder; `DeskError` says what to type if there are others."""
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


def _install() -> str:
    return f'"{sys.executable}" -m pip install -r requirements.txt'


def _doctor(options: Any) -> int:
    from hw_support.desk.doctor import doctor

    return FINE if doctor() else CANNOT


def _check(options: Any) -> int:
    from hw_support.desk import check
    from hw_support.desk.opening import open_notebook
    from hw_support.submission.released import releases

    opened = open_notebook(options.notebook, releases())
    if options.repair:
        return _repair(opened)
    report = check.check(opened)
    check.print_report(report, sys.stdout)
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


def _pdf(options: Any) -> int:
    from hw_support.desk import check, pdf
    from hw_support.desk.opening import open_notebook
    from hw_support.submission.released import releases

    path = options.notebook
    opened = open_notebook(path, releases())
    notebook = opened.notebook
    if options.run:
        notebook = check.run_copy(opened, like_grader=False).notebook
    elif gaps := pdf.gaps(notebook):
        listed = "\n".join(f"  - {gap}" for gap in gaps)
        raise DeskError(
            f"{path.name} does not look finished:\n{listed}\nIn JupyterLab choose Kernel → "
            "Restart Kernel and Run All Cells…, save the notebook, and run this command again. "
            "Or add --run: then the command runs a copy of the notebook first."
        )
    target = options.to or path.with_suffix(".pdf")
    for warning in pdf.write_pdf(notebook, target, opened.release.certification):
        print(f"- {warning}")
    print(f"The PDF is {target}. Read it before you submit it.")
    return FINE


def _zip(options: Any) -> int:
    from hw_support.desk import check, handin
    from hw_support.desk.opening import open_notebook
    from hw_support.submission.released import releases

    opened = open_notebook(options.notebook, releases())
    student = options.student
    student = handin.student_id_of(opened) if student is None else handin.checked_id(student)
    fine = True
    if not options.no_check:
        report = check.check(opened)
        check.print_report(report, sys.stdout)
        fine = report.fine
        print()
    packed = handin.pack(opened, student, options.to or opened.path.absolute().parent)
    print(f"{packed.path}\ncontains {packed.entry} (SHA-256 {packed.notebook_sha256})")
    print("Submit this file. Keep the line above: it identifies the file that you submitted.")
    if not fine:
        print(
            "The list above shows what you still have to do. You can submit again until the due "
            "date."
        )
    return FINE if fine else TO_DO


if __name__ == "__main__":
    sys.exit(main())
