"""A JupyterLab of our own, as `jupyter lab` starts it, with settings and records of its own.

It fetches no news and no updates, because there may be no internet. The desk is started in the same
way.
"""

import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
SECONDS_TO_START = 60

ANNOUNCEMENTS = "@jupyterlab/apputils-extension:announcements"


@dataclass
class Server:
    """A running server.

    Attributes
    ----------
    folder
        What it shows, and where it was started.
    url
        Its address, which ends in a slash.
    token
        The token to log in with.
    """

    folder: Path
    url: str
    token: str
    process: subprocess.Popen[bytes]

    def call(self, path: str, method: str = "GET") -> Any:
        """Call the server's own interface and return what it answers, None for nothing."""
        request = urllib.request.Request(
            self.url + path, method=method, headers={"Authorization": f"token {self.token}"}
        )
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.loads(answer.read() or "null")

    def end_kernels(self) -> None:
        """End all kernels that it has started."""
        for session in self.call("api/sessions"):
            self.call(f"api/sessions/{session['id']}", "DELETE")

    def close(self) -> None:
        """End the server and its kernels."""
        self.process.terminate()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()


def start(folder: Path, records: Path) -> Server:
    """Start JupyterLab.

    Parameters
    ----------
    folder
        What it shows.
    records
        An empty folder for its settings, IPython's database, and its log.

    Raises
    ------
    RuntimeError
        If it does not answer within a minute; the message has its log.
    """
    program = shutil.which("jupyter-lab")
    if program is None:
        raise RuntimeError("there is no `jupyter-lab` on the PATH: run `make setup`")
    off = {"disabledExtensions": {ANNOUNCEMENTS: True}}
    (records / "config" / "labconfig").mkdir(parents=True)
    (records / "config" / "labconfig" / "page_config.json").write_text(json.dumps(off))
    command = [
        program,
        f"--ServerApp.root_dir={folder}",
        "--LabApp.news_url=None",
        "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
        "--LabApp.collaborative=False",
    ]
    return run(command, folder, records)


def start_desk(
    folder: Path, records: Path, assignment: str, *, before: Server | None = None
) -> Server:
    """Start the desk of a homework, as `start`; at the address of a server that has ended."""
    command = [sys.executable, "-m", "hw_grading", "--course", str(folder), "desk", assignment]
    # A desk without this option takes the first free port above 8888, and so might another one
    # while this one is being started again.
    port = before.url.rstrip("/").rpartition(":")[2] if before else _free_port()
    return run([*command, "--port", port], folder, records, before.token if before else "")


def _free_port() -> str:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return str(listening.getsockname()[1])


def run(command: list[str], folder: Path, records: Path, token: str = "") -> Server:
    """Run a command that starts a Jupyter server, and wait until it answers."""
    token = token or secrets.token_hex(16)
    places = {
        "JUPYTER_CONFIG_DIR": records / "config",
        "JUPYTER_DATA_DIR": records / "data",
        "JUPYTER_RUNTIME_DIR": records / "runtime",
        "JUPYTERLAB_SETTINGS_DIR": records / "settings",
        "JUPYTERLAB_WORKSPACES_DIR": records / "workspaces",
        "IPYTHONDIR": records / "ipython",
    }
    for place in places.values():
        place.mkdir(parents=True, exist_ok=True)
    log = records / "log"
    with log.open("ab") as stream:
        process = subprocess.Popen(
            [*command, "--no-browser", "--allow-root"],
            cwd=folder,
            env={
                **os.environ,
                **{name: str(place) for name, place in places.items()},
                "JUPYTER_TOKEN": token,
                "PYTHONPATH": str(ROOT),
            },
            stdin=subprocess.DEVNULL,
            stdout=stream,
            stderr=stream,
            start_new_session=True,
        )
    about = records / "runtime" / f"jpserver-{process.pid}.json"
    server = Server(folder, "", token, process)
    try:
        until = time.monotonic() + SECONDS_TO_START
        while time.monotonic() < until and process.poll() is None:
            try:
                # The server chooses another port if its usual one is taken.
                server.url = json.loads(about.read_text())["url"]
                server.call("api/status")
                return server
            except (OSError, ValueError, urllib.error.URLError):
                time.sleep(0.2)
    except BaseException:
        server.close()
        raise
    server.close()
    raise RuntimeError(f"{Path(command[0]).name} did not start:\n{log.read_text(errors='replace')}")
