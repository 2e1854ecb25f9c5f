"""The staff's commands. To see the options of one, type: python -m hw_grading VERB --help."""

import argparse
import os
import sys
from importlib import import_module
from pathlib import Path
from types import TracebackType

from hw_grading.verbs import CANNOT, FINE, STOPPED, VERBS

_WAS_STOPPED = "\nStopped before it was done. Type the same command again."


def _show(kind: type[BaseException], error: BaseException, traceback: TracebackType | None) -> None:
    """Replace Python's traceback by a sentence if Ctrl-C stops the imports."""
    if kind is KeyboardInterrupt:
        print(_WAS_STOPPED, file=sys.stderr)
    else:
        sys.__excepthook__(kind, error, traceback)


if __name__ == "__main__":
    sys.excepthook = _show

try:
    from hw_grading.gradebook.database import Unavailable
    from hw_grading.gradebook.writing import in_words
    from hw_support.failures import visible
    from hw_support.submission.file import Unreadable
except ImportError as missing:  # a package that every command needs, even `doctor`
    print(f"FIX   packages    {missing}", file=sys.stderr)
    print(f'      Type: "{sys.executable}" -m pip install -r requirements.lock', file=sys.stderr)
    print("      or, in the course's environment: source .venv/bin/activate", file=sys.stderr)
    sys.exit(CANNOT)


def main(arguments: list[str] | None = None) -> int:
    """Parse the command line, run one command, and return its exit status.

    It is 0 if all is fine, 1 if there is something left to do, 2 if it could not be done, 130 if it
    was stopped by Ctrl-C, or nobody reads its output.
    """
    parser = argparse.ArgumentParser(prog="python -m hw_grading", description=__doc__)
    parser.add_argument(
        "--course", type=Path, default=Path.cwd(), help="the course's folder (default: this folder)"
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="VERB")
    verbs = {name: import_module(f"hw_grading.verbs.{name.replace('-', '_')}") for name in VERBS}
    for name, verb in verbs.items():
        first, _, rest = (verb.__doc__ or "").partition(".\n")
        help_ = first[0].lower() + first[1:].removesuffix(".")
        command = commands.add_parser(name, help=help_, description=rest or verb.__doc__)
        if getattr(verb, "TAKES_HOMEWORK", True):  # nbgrader calls it an assignment
            what = "the homework's name, such as hw3"
            command.add_argument("assignment", metavar="homework", help=what)
        if hasattr(verb, "add_arguments"):
            verb.add_arguments(command)
    try:
        chosen, more = parser.parse_known_args(arguments)
        verb = verbs[chosen.command]
        if more and not getattr(verb, "TAKES_MORE", False):
            parser.error(f"unrecognized arguments: {' '.join(more)}")
        chosen.more = more
        if getattr(verb, "NEEDS_COURSE", True):
            _expect_course(chosen.course, chosen.command)
        status: int = verb.run(chosen) or FINE
        sys.stdout.flush()
    except BrokenPipeError:  # as in `report … | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # Python flushes at the end
        return STOPPED
    except (Unavailable, Unreadable, OSError, RuntimeError) as error:
        print(visible(in_words(error)), file=sys.stderr)
        return CANNOT
    except KeyboardInterrupt:
        print(_WAS_STOPPED, file=sys.stderr)
        return STOPPED
    return status


def _expect_course(folder: Path, command: str) -> None:
    """Raise `Unreadable` if a folder has neither settings nor a homework."""
    if any((folder / f"nbgrader_config{suffix}").is_file() for suffix in (".py", ".json")):
        return
    from hw_grading.homework.course import Course

    if not Course(folder).homeworks():
        raise Unreadable(
            f"There is no nbgrader_config.py in {folder.absolute()}. Go to the course's folder, or "
            f"type: python -m hw_grading --course FOLDER {command}"
        )


if __name__ == "__main__":
    sys.exit(main())
