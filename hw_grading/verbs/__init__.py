"""The staff's commands, a file for each: ``python -m hw_grading VERB``.

The docstring of a file is its command's help: the first line in the list of commands, the rest with
``--help``. Each file has `run`, which calls the code that does the work, prints the result, and
returns the exit status, or None if all is fine. `add_arguments` adds options, if there are any.

A file says what is unusual about its command: `NEEDS_COURSE` is False if it needs no course,
`TAKES_HOMEWORK` if its first argument is no homework; `TAKES_MORE` is True if it passes unknown
options on. Verbs may import every room. They import slow modules only in `run`.
"""

import getpass
import pkgutil

FINE, TO_DO, CANNOT, STOPPED = 0, 1, 2, 130
VERBS = [module.name.replace("_", "-") for module in pkgutil.iter_modules(__path__)]


def who_i_am() -> str:
    """Return the user's name, or "staff" if the machine has none."""
    try:
        return getpass.getuser()
    except (KeyError, OSError, ImportError):  # for example in a container
        return "staff"
