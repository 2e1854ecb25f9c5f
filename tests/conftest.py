"""Settings of all tests: programs on the PATH, no screen, a folder for the courses' secrets."""

# ruff: noqa: E402 - numpy reads the number of threads when it is imported

import atexit
import contextlib
import functools
import os
import shutil
import signal
import sys
import tempfile
from pathlib import Path

sys.dont_write_bytecode = False  # pytest compiles its tests once, and not in each process
for _variable in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_variable, "1")  # tests run in parallel

import matplotlib as mpl
import pytest
from hypothesis import settings

# nbgrader starts alembic by name.
os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
mpl.use("Agg")
settings.register_profile("any machine", deadline=None)  # a slow machine fails no example
settings.load_profile("any machine")
# A shell makes its background jobs ignore Ctrl-C. The commands that tests stop would inherit this.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
with contextlib.suppress(ImportError):  # students' tests run without nbgrader
    import nbgrader.api

    # Whenever nbgrader makes a gradebook, it starts alembic to read this constant.
    nbgrader.api.get_alembic_version = functools.cache(nbgrader.api.get_alembic_version)
if "HW_TESTS_DATA" not in os.environ:  # the workers of one run share it
    os.environ["HW_TESTS_DATA"] = os.environ["JUPYTER_DATA_DIR"] = tempfile.mkdtemp()
    atexit.register(shutil.rmtree, os.environ["HW_TESTS_DATA"], ignore_errors=True)


def pytest_make_parametrize_id(val: object) -> str | None:
    """Keep names of tests short: each worker sends all of them."""
    if isinstance(val, str | bytes) and len(val) > 100:
        return f"{val[:40]!a} of {len(val):,}"
    return None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Start the longest tests before other single ones. At the end, all would wait for them."""
    longest = ("test_a_term.py", "test_golden_class.py")
    items.sort(key=lambda item: item.path.name not in longest)
