"""Tests run on the repository's own files, installed or not."""

import sys
from pathlib import Path

import matplotlib

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
matplotlib.use("Agg")
