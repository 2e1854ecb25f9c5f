"""Settings of all tests: the environment's programs on the PATH, pictures without a screen."""

import os
import sys
from pathlib import Path

import matplotlib as mpl

# nbgrader starts alembic by name.
os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
mpl.use("Agg")
