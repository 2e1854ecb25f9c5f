"""A PostgreSQL server of our own, for tests: no port, and nothing is kept.

It runs as an ordinary user, since it refuses to run as root.
"""

import os
import secrets
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest

SECONDS_TO_START = 120
PASSWORD = "not-to-be-shown"  # the server asks for none; tests look for this one in messages
_USERS = ("postgres", "nobody")


@dataclass
class Server:
    """A running server, with its data, its log and its socket in a folder."""

    folder: Path

    def connect(self, database: str = "postgres") -> psycopg.Connection[Any]:
        """Connect to a database; each statement is committed by itself."""
        return psycopg.connect(
            host=str(self.folder), user="grader", dbname=database, autocommit=True
        )

    def new_database(self) -> str:
        """Make an empty database, and return its address."""
        name = f"gradebook_{secrets.token_hex(4)}"
        with self.connect() as connection:
            connection.execute(f"CREATE DATABASE {name} TEMPLATE template0")
        return f"postgresql+psycopg://grader:{PASSWORD}@/{name}?host={self.folder}"


def programs() -> Path | None:
    """Return the folder of PostgreSQL's programs; Debian does not put them on the PATH."""
    on_path = shutil.which("initdb")
    places = [Path(on_path).parent] if on_path else []
    found = Path("/usr/lib/postgresql").glob("*/bin")
    places += sorted(found, key=lambda place: -float(place.parent.name))
    return next((place for place in places if (place / "initdb").exists()), None)


def start(bin_folder: Path, folder: Path) -> tuple[Server, subprocess.Popen[bytes]]:
    """Start a server in an empty folder; raise `RuntimeError`, with its log, if that fails."""
    identity: dict[str, Any] = {}
    if os.getuid() == 0:
        import pwd

        names = {entry.pw_name for entry in pwd.getpwall()}
        user = next(name for name in _USERS if name in names)
        identity = {"user": user, "group": pwd.getpwnam(user).pw_gid, "extra_groups": []}
        shutil.chown(folder, user)
    data, log = folder / "data", folder / "log"
    environment = {"PATH": os.environ["PATH"], "LC_ALL": "C"}
    with log.open("wb") as stream:
        options: dict[str, Any] = {"cwd": folder, "env": environment, **identity}
        options |= {"stdin": subprocess.DEVNULL, "stdout": stream, "stderr": stream}
        initdb = [bin_folder / "initdb", "--username=grader", "--auth=trust", "--encoding=UTF8"]
        made = subprocess.run([*initdb, "--no-sync", data], **options)
        if made.returncode:
            raise RuntimeError(f"initdb failed:\n{log.read_text(errors='replace')}")
        settings = {"listen_addresses": "", "unix_socket_directories": folder, "fsync": "off"}
        words = [f"--{name}={value}" for name, value in settings.items()]
        # The tests may be killed, and must leave no server behind.
        with_them = ["setpriv", "--pdeathsig", "QUIT"] if shutil.which("setpriv") else []
        server_line = [*with_them, bin_folder / "postgres", "-D", data, *words]
        process = subprocess.Popen(server_line, **options)
    server = Server(folder)
    until = time.monotonic() + SECONDS_TO_START
    while time.monotonic() < until and process.poll() is None:
        try:
            server.connect().close()
            return server, process
        except psycopg.OperationalError:
            time.sleep(0.1)
    process.kill()
    raise RuntimeError(f"PostgreSQL did not start:\n{log.read_text(errors='replace')}")


@pytest.fixture(scope="session")
def postgresql() -> Iterator[Server]:
    """Yield a server. If its programs are missing, skip the test; in CI, fail."""
    bin_folder = programs()
    if bin_folder is None:
        why = "PostgreSQL is not here; on Debian: apt-get install postgresql"
        pytest.fail(why) if os.environ.get("CI") else pytest.skip(why)
    # Not in pytest's own folder: another user has to reach it, and a socket's path is short.
    folder = Path(tempfile.mkdtemp(prefix="hw-pg-"))
    try:
        server, process = start(bin_folder, folder)
        yield server
        process.send_signal(signal.SIGQUIT)
        process.wait(60)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
