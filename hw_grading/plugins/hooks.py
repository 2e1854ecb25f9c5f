"""What is changed in nbgrader's objects while a class is graded, because no setting can do it.

Everything else that this package does to nbgrader is done by its configuration. Each change is made
to one object, and is undone at the end of the run. tests/grading/test_hooks.py fails if a version
of nbgrader has no such method any more, or calls it in another way.

- `Autograde.convert_notebooks` is the loop over the class. The run has to begin before its first
  student and to end after its last one, however it ends.
- `Autograde.init_assignment` and `convert_single_notebook` write a student's files. After any
  `Exception` in them the loop goes on with the next student. With a full disk, that would print one
  error for each student of the class.
- `Gradebook.db.commit` is called by nbgrader for each score. One transaction for a submission takes
  a fraction of the time, and after a kill there are either all of its scores or none.
"""

import contextlib
import errno
import functools
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from nbgrader.api import Gradebook
from nbgrader.converters import Autograde
from sqlalchemy.engine import make_url
from sqlalchemy.exc import OperationalError


class DiskFull(SystemExit):
    """A disk is full. After any `Exception`, nbgrader's loop would go on with the next student."""


def around_the_loop(
    converter: Autograde, block: Callable[[Autograde], AbstractContextManager[None]]
) -> None:
    """Let the converter's next loop over the class run inside a block."""

    def convert() -> None:
        del converter.convert_notebooks  # the converter's own method is there again
        with contextlib.ExitStack() as stack:
            for step in ("init_assignment", "convert_single_notebook"):
                stack.enter_context(_expecting_room(converter, step))
            stack.enter_context(block(converter))
            converter.convert_notebooks()

    converter.convert_notebooks = convert


@contextlib.contextmanager
def _expecting_room(converter: Any, step: str) -> Iterator[None]:
    """Let a method of a converter raise `DiskFull`, with a sentence, if a disk is full."""
    method = getattr(converter, step)

    @functools.wraps(method)
    def call(*arguments: Any) -> Any:
        try:
            return method(*arguments)
        except Exception as error:
            if not (path := _on_a_full_disk(error, converter.coursedir)):
                raise
            raise DiskFull(
                f"The disk is full: {path} could not be written. The scores that were saved are "
                "complete. Free some space, then run this command again: it grades the rest"
            ) from error

    setattr(converter, step, call)
    try:
        yield
    finally:
        delattr(converter, step)


def _on_a_full_disk(error: BaseException | None, course: Any) -> str:
    """Return the path that could not be written because its disk is full; "" if none is."""
    while error:
        if isinstance(error, OperationalError) and "is full" in str(error.orig):
            return str(make_url(course.db_url).database)
        if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
            return str(error.filename or Path(course.root, course.autograded_directory))
        error = error.__cause__ or error.__context__
    return ""


@contextlib.contextmanager
def one_transaction(gradebook: Gradebook) -> Iterator[None]:
    """Commit at the end of the block only; after an error, the gradebook's owner rolls back."""
    session = gradebook.db
    commit, session.commit = session.commit, lambda: None
    try:
        yield
    finally:
        session.commit = commit
    commit()
