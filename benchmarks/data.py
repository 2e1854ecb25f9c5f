"""Measure the time to load the images, including the check of their digest."""

import statistics
import time

from hw_support import get_mnist_threes_nines
from hw_support.shipped_data import MNIST_FILE

REPEATS = 15


def run() -> None:
    """Print the median loading time and the size of the file."""
    seconds = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        get_mnist_threes_nines()
        seconds.append(time.perf_counter() - start)
    print(f"file: {MNIST_FILE.path.stat().st_size / 1e6:.2f} MB")
    print(f"loading: median {statistics.median(seconds):.3f} s of {REPEATS} runs")
