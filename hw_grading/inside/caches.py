"""What a process does only once, done ahead by one that is forked often; none of it shows later."""

from __future__ import annotations

import contextlib
import inspect
import io
import platform


def fill() -> None:
    """Make a first traceback and a first plot, and unpack the data."""
    platform.processor()  # asks a program
    inspect.getmodule(compile("", "of no module", "exec"))  # looks for the files of all modules
    with contextlib.suppress(ImportError):
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure

        figure = Figure()
        figure.add_subplot(title="$1$").plot([1, 2])
        FigureCanvasAgg(figure).print_png(io.BytesIO())
    with contextlib.suppress(Exception):  # who asks for the data is told what is wrong with them
        from hw_support import mnist

        mnist.read_arrays(mnist.MNIST_FILE)
