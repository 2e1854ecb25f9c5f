"""The staff's commands, a file for each: ``python -m hw_grading VERB``.

The docstring of a file is its command's help: the first line in the list of commands, the rest with
``--help``. If a command needs no course, its file says so in `NEEDS_COURSE`; if it passes unknown
options on, in `TAKES_MORE`. Each file has `add_arguments`, which adds its options, and `run`, which
calls the code that does the work, prints the result, and returns the exit status, or None if all is
fine. Verbs may import every room. They import slow modules only in `run`.
"""

import argparse
import getpass
import pkgutil

FINE, TO_DO, CANNOT = 0, 1, 2
VERBS = [module.name.replace("_", "-") for module in pkgutil.iter_modules(__path__)]


def add_homework(parser: argparse.ArgumentParser) -> None:
    """Add the homework, which every command calls ``assignment`` in code, as nbgrader does."""
    parser.add_argument("assignment", metavar="homework", help="the homework's name, such as hw3")


def who_i_am() -> str:
    """Return the user's name, or "staff" if the machine has none."""
    try:
        return getpass.getuser()
    except (KeyError, OSError, ImportError):  # for example in a container
        return "staff"
