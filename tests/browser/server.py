"""A JupyterLab of our own, as `jupyter lab` starts it, with settings and records of its own.

What it would fetch from the internet (news, updates) is turned off: there may be none.
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
import signal
import subprocess
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
        What lets one in.
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
    """Start a server.

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
    token = secrets.token_hex(16)
    places = {
        "JUPYTER_CONFIG_DIR": records / "config",
        "JUPYTER_DATA_DIR": records / "data",
        "JUPYTER_RUNTIME_DIR": records / "runtime",
        "JUPYTERLAB_SETTINGS_DIR": records / "settings",
        "JUPYTERLAB_WORKSPACES_DIR": records / "workspaces",
        "IPYTHONDIR": records / "ipython",
    }
    for place in places.values():
        place.mkdir(parents=True)
    off = {"disabledExtensions": {ANNOUNCEMENTS: True}}
    (records / "config" / "labconfig").mkdir()
    (records / "config" / "labconfig" / "page_config.json").write_text(json.dumps(off))
    log = records / "log"
    with log.open("wb") as stream:
        process = subprocess.Popen(
            [
                program,
                "--no-browser",
                "--allow-root",
                f"--ServerApp.root_dir={folder}",
                "--LabApp.news_url=None",
                "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
                "--LabApp.collaborative=False",
            ],
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
                # The server chooses another port where its usual one is taken.
                server.url = json.loads(about.read_text())["url"]
                server.call("api/status")
                return server
            except (OSError, ValueError, urllib.error.URLError):
                time.sleep(0.2)
    except BaseException:
        server.close()
        raise
    server.close()
    raise RuntimeError(f"JupyterLab did not start:\n{log.read_text(errors='replace')}")
