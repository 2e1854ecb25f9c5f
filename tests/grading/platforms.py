"""Downloads as learning platforms build them, and nbgrader's command that collects them."""

import contextlib
import io
import json
import zipfile
from pathlib import Path

from nbgrader.apps import ZipCollectApp


def nb(text: str) -> bytes:
    return json.dumps({"nbformat": 4, "nbformat_minor": 5, "cells": [], "by": text}).encode()


def packed(*files: tuple[str | zipfile.ZipInfo, bytes]) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as bundle:
        for name, content in files:
            bundle.writestr(name, content)
    return stream.getvalue()


def gradescope(*submissions: tuple[int, str, list[tuple[str, str, str]], bytes]) -> bytes:
    """An export: number, time, submitters (name, sid, email), and the notebook of each."""
    lines, files = ["---"], []
    for number, when, people, content in submissions:
        lines += [f"submission_{number}:", "  :submitters:"]
        for name, sid, email in people:
            lines += [f"  - :name: {name}", f"    :sid: {sid}", f"    :email: {email}"]
        lines += [f"  :created_at: {when}", "  :score: 12.0", "  :results:", "    tests: []"]
        lines += ["  :history:", "  - :id: 1", "    :created_at: 2022-09-01 10:00:00.000000000 Z"]
        files.append((f"assignment_9_export/submission_{number}/hw2.ipynb", content))
    metadata = "\n".join(lines).encode()
    return packed(("assignment_9_export/submission_metadata.yml", metadata), *files)


def moodle(*submissions: tuple[str, int, bytes]) -> bytes:
    """Full name, number of the participant, and the notebook of each."""
    folders = [(f"{name}_{number}_assignsubmission_file/hw2.ipynb", content)
               for name, number, content in submissions]  # fmt: skip
    return packed(*folders)


def zip_collect(root: Path, *words: str) -> int:
    """Run `nbgrader zip_collect hw2` in this process, and return its exit status."""
    app = ZipCollectApp()
    try:
        with contextlib.chdir(root):
            app.initialize(["hw2", *words])
            app.start()
    except SystemExit as end:
        return int(end.code or 0)
    finally:
        ZipCollectApp.clear_instance()
    return 0


def handed_in(root: Path) -> dict[str, bytes]:
    """Return the collected notebooks of hw2 by student."""
    return {path.parts[-3]: path.read_bytes() for path in root.glob("submitted/*/hw2/hw2.ipynb")}
