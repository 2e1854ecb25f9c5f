"""Measure the time to make the PDF of the reference solution, after the notebook has run."""

import os
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient

from hw_grading.commands.sample import solved
from hw_grading.homework.course import REPOSITORY
from hw_support.desk.pdf import write_pdf

REPEATS = 5


def run() -> None:
    """Print the first time, in which pandoc and typst are loaded, and the median of the others."""
    with tempfile.TemporaryDirectory() as folder:
        notebook = finished(Path(folder))
        target = Path(folder) / "hw2.pdf"
        seconds = [seconds_of_pdf(notebook, target) for _ in range(REPEATS + 1)]
        print(f"{len(notebook.cells)} cells, {target.stat().st_size / 1e6:.2f} MB")
    later = statistics.median(seconds[1:])
    print(f"the first PDF {seconds[0]:.2f} s, later ones {later:.2f} s (median of {REPEATS})")


def finished(folder: Path) -> Any:
    """Return the released notebook with answers, run from top to bottom in this folder."""
    released, source = (
        nbformat.read(REPOSITORY / kind / "hw2" / "hw2.ipynb", as_version=4)
        for kind in ("release", "source")
    )
    notebook = solved(released, source)
    path = os.pathsep.join(filter(None, [str(REPOSITORY), os.environ.get("PYTHONPATH")]))
    resources = {"metadata": {"path": str(folder)}}
    client = NotebookClient(notebook, timeout=600, kernel_name="python3", resources=resources)
    client.execute(env={**os.environ, "PYTHONPATH": path})
    return notebook


def seconds_of_pdf(notebook: Any, target: Path) -> float:
    """Write the PDF, and return the seconds that it took."""
    start = time.perf_counter()
    write_pdf(notebook, target)
    return time.perf_counter() - start
