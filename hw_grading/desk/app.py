"""The desk as an application of Jupyter Server, and as an extension of other servers."""

import contextlib
import ctypes
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import quote

from jupyter_server.extension.application import ExtensionApp, ExtensionAppJinjaMixin
from jupyter_server.serverapp import ServerApp
from traitlets import Unicode

from hw_grading.desk.base_handler import NAME, PLACE
from hw_grading.desk.desks import Desks
from hw_grading.desk.handlers import STATIC, routes
from hw_grading.desk.writing import LONGEST_BODY
from hw_grading.homework.course import Course
from hw_support.submission.file import UserError

_READERS = 8  # threads
_WRITERS = 1  # saves wait in one queue: SQLite would let several waiting writers in by chance


class DeskServer(ServerApp):
    """A server with nothing but a desk: its token opens no files, kernels and conversions."""

    default_services = ("auth", "api", "security", "shutdown")  # type: ignore[assignment]


class DeskApp(ExtensionAppJinjaMixin, ExtensionApp):
    """The desk, on which people grade in the browser."""

    serverapp_class = DeskServer  # as a program of its own
    name = NAME
    description = "Grades a class question by question, in the browser."
    extension_url = f"/{PLACE}/"
    load_other_extensions = False

    course = Unicode(
        "",
        help="The course's folder; default: formgrader's, or the folder in which the server was "
        "started.",
    ).tag(config=True)

    template_paths = [str(Path(__file__).with_name("templates"))]  # noqa: RUF012 - a trait

    @classmethod
    def get_extension_package(cls) -> str:
        """Return the package for Jupyter Server to load."""
        return "hw_grading.desk"

    def initialize_settings(self) -> None:
        """Add the desks and the threads to the server's settings."""
        assert self.serverapp is not None
        webapp = self.serverapp.web_app
        folder = Path(self.course).absolute() if self.course else None
        self._desks = Desks(folder, webapp.settings)
        self._threads = {
            "readers": ThreadPoolExecutor(_READERS, thread_name_prefix="desk"),
            "writers": ThreadPoolExecutor(_WRITERS, thread_name_prefix="desk"),
        }
        self.settings.update({f"{NAME}_desks": self._desks, f"{NAME}_threads": self._threads})

    def initialize_handlers(self) -> None:
        """Add the desk's addresses."""
        self.handlers.extend(routes())

    async def stop_extension(self) -> None:
        """Stop the background work."""
        for threads in self._threads.values():
            threads.shutdown(wait=False, cancel_futures=True)
        self._desks.close()


def serve(course: Path, assignment: str, grid: str, more: Sequence[str]) -> None:
    """Run a server with the desk of a homework, which a browser opens, until it is stopped.

    The first page has all answers to the question `grid`, or is the list of questions. `more` are
    options of Jupyter Server. `UserError` if the course has no such homework, or its settings have
    a mistake.
    """
    Course(course).expect_homework(assignment)
    if os.geteuid() == 0 and "--allow-root" not in more:
        raise UserError(
            "The desk does not run as root. Start it as another user, in a container with "
            "'docker run --user 1000:1000 ...'. If you want to run it as root, add --allow-root"
        )
    _keep_little_memory()
    page = f"grid/{quote(grid, safe='')}" if grid else ""
    options = [
        f"--{DeskApp.__name__}.course={course.absolute()}",
        f"--{DeskApp.__name__}.default_url=/{PLACE}/{quote(assignment, safe='')}/{page}",
        f"--ServerApp.root_dir={STATIC}",  # the only files at /files/
        # A body is received before the login is checked.
        f"--ServerApp.max_body_size={2 * LONGEST_BODY}",
        f"--ServerApp.max_buffer_size={2 * LONGEST_BODY}",
    ]
    DeskApp.launch_instance([*options, *more])


def _keep_little_memory() -> None:
    """Let threads share freed memory. glibc keeps a quarter of the server's for single threads."""
    arenas, most = -8, 2  # glibc's M_ARENA_MAX
    with contextlib.suppress(OSError, AttributeError, TypeError):  # not glibc
        ctypes.CDLL(None).mallopt(arenas, most)
