"""Watch a loop at work: how far it is, the loss so far, and what six hidden units look at.

All loops of one cell share one output, which is redrawn about once a second, and once more when the
cell has ended. A picture is drawn without pyplot, so a notebook's own figures stay as they are.
"""

from __future__ import annotations

import io
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence, Sized
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from hw_support.homeworks.runs import at_home

Step = TypeVar("Step")
Seen = tuple[Sequence[float], Sequence[NDArray[Any]]]  # the losses so far, the weight matrices
Show = Callable[[], Seen]

SECONDS = 1.0  # between two pictures
SHARE = 0.025  # of the time, at most, that pictures take
_SIDE, _UNITS, _GAP = 28, 6, 2  # pixels of an image, images, pixels between two


def progress(steps: Iterable[Step], label: str = "", show: Show | None = None) -> Iterator[Step]:
    """Loop over `steps`, and show how far the loop is.

    Nothing is shown while a notebook is graded, while standard output is redirected, and outside
    Jupyter.

    Parameters
    ----------
    steps : iterable
    label : str
        Begins the line, such as ``"epoch 1"``.
    show : function without arguments, optional
        Returns the losses so far, one for each step, and the list of weight matrices as they are
        now. It is called once a second. Then the line has a picture: the curve of these losses and,
        if the first matrix is (784, units), the weights of six hidden units as images: those with
        the largest weights to the next layer. White pixels make a unit larger, black ones smaller.
    """
    output = _output_of_this_cell()
    if output is None:
        yield from steps
        return
    total = len(steps) if isinstance(steps, Sized) else 0
    done = 0
    for step in steps:
        output.step(label, done, total, show)
        yield step
        done += 1
    output.step(label, done, total, show)


class _Output:
    """The output of one cell."""

    def __init__(self, shell: Any) -> None:
        self.cell = shell.execution_count
        self._events = shell.events
        self._events.register("post_run_cell", self._end)
        self._handle: Any = None
        self._next = 0.0  # when the next picture is due, by the monotonic clock
        self._show: Show | None = None
        self._picture = _Picture()

    def step(self, label: str, done: int, total: int, show: Show | None) -> None:
        """Note how far a loop is, and show it if a second has passed.

        A loop without `show` leaves the picture of another one, inside or outside of it, as it is.
        """
        self._label, self._done, self._total = label, done, total
        self._show = show or self._show
        if (start := time.monotonic()) >= self._next:
            self._draw()
            end = time.monotonic()
            self._next = end + max(SECONDS, (end - start) / SHARE)

    def _end(self, *_: Any) -> None:
        global _current
        self._events.unregister("post_run_cell", self._end)
        self._draw()
        _current = None

    def _draw(self) -> None:
        from IPython.display import display

        line = f"{self._label}: step {self._done}" + (f" of {self._total}" if self._total else "")
        bundle: dict[str, Any] = {"text/plain": line}
        if self._show is not None:
            try:
                losses, weights = self._show()
                bundle["image/png"] = self._picture.png(line, losses, weights, self._total)
            except Exception as error:  # a picture is never worth the end of a training
                bundle["text/plain"] += f" (no picture: {type(error).__name__}: {error})"
        if self._handle is None:
            self._handle = display(bundle, raw=True, display_id=True)
        else:
            self._handle.update(bundle, raw=True)


_current: _Output | None = None


def _output_of_this_cell() -> _Output | None:
    """Return where the running cell shows its loops; None if nobody would see it."""
    global _current
    try:
        from ipykernel.iostream import OutStream
        from IPython import get_ipython
    except ImportError:
        return None
    if not at_home() or not isinstance(sys.stdout, OutStream):
        return None
    shell = get_ipython()
    if _current is None or _current.cell != shell.execution_count:
        _current = _Output(shell)
    return _current


class _Picture:
    """A figure that is made once, and drawn for each picture."""

    def __init__(self) -> None:
        self._figure: Any = None
        self._units: list[int] = []  # in their places

    def png(
        self, title: str, losses: Sequence[float], weights: Sequence[NDArray[Any]], total: int
    ) -> bytes:
        """Return the picture as a PNG; `total` is the number of steps of an epoch, 0 if unknown."""
        from PIL import Image  # matplotlib needs it

        if self._figure is None:
            self._make()
        values = np.asarray(losses, dtype=float).ravel()
        self._curve.set_data(np.arange(1, values.size + 1), values)
        limits = _limits_of(values, max(total, 1))
        self._left.set(xlim=limits[:2], ylim=limits[2:])
        self._left.set_title(f"{title}, loss {values[-1]:.4f}" if values.size else title)
        if np.shape(weights[0])[0] == _SIDE**2:
            self._images.set_data(self._images_of(weights))
        self._figure.canvas.draw()
        pixels = np.asarray(self._figure.canvas.buffer_rgba())[..., :3]
        png = io.BytesIO()
        Image.fromarray(pixels).save(png, "png", compress_level=1)
        return png.getvalue()

    def _make(self) -> None:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
        from matplotlib.ticker import FuncFormatter, MaxNLocator, NullLocator

        self._figure = Figure(figsize=(8.4, 2.5))
        FigureCanvasAgg(self._figure)
        self._left = self._figure.add_axes((0.09, 0.2, 0.46, 0.66))
        self._left.set(yscale="log", xlabel="iteration", ylabel="mean loss (nats)")
        self._left.xaxis.set_major_locator(MaxNLocator(6, integer=True))
        self._left.yaxis.set_major_formatter(FuncFormatter(lambda loss, _: f"{loss:g}"))
        self._left.yaxis.set_minor_locator(NullLocator())
        self._left.grid(True, color="#DDDDDD", linewidth=0.8)
        self._left.spines[["top", "right"]].set_visible(False)
        (self._curve,) = self._left.plot([], [], color="#0072B2", linewidth=1.2)
        right = self._figure.add_axes((0.58, 0.03, 0.41, 0.83))
        right.set_title("what six hidden units look at")
        right.set_axis_off()
        self._images = right.imshow(_frame(), cmap="gray", vmin=-1, vmax=1)

    def _images_of(self, weights: Sequence[NDArray[Any]]) -> NDArray[np.float64]:
        """Return the weights of six units as one image, between -1 and 1, with one scale.

        A unit keeps its place for as long as it is one of the six.
        """
        strongest = np.argsort(-np.abs(weights[1]).sum(axis=1))[:_UNITS].tolist()
        fresh = [unit for unit in strongest if unit not in self._units]
        self._units = [u if u in strongest else fresh.pop(0) for u in self._units] or strongest
        images, shown = _frame(), np.asarray(weights[0])[:, self._units].T
        shown = shown / max(float(np.abs(shown).max()), 1e-300)
        for place, image in enumerate(shown):
            top, left = ((_SIDE + _GAP) * n for n in divmod(place, 3))
            images[top : top + _SIDE, left : left + _SIDE] = image.reshape(_SIDE, _SIDE)
        return images


def _frame() -> NDArray[np.float64]:
    """Return white, with room for two rows of three images."""
    return np.ones((2 * _SIDE + _GAP, 3 * _SIDE + 2 * _GAP))


def _limits_of(losses: NDArray[np.float64], epoch: int) -> tuple[float, float, float, float]:
    """Return limits of both axes, left, right, bottom, top: whole epochs and powers of ten."""
    seen = losses[np.isfinite(losses) & (losses > 0)]
    low, high = seen.min(initial=0.5), seen.max(initial=0.5)
    right = epoch * max(1, -(-losses.size // epoch))
    return 0, right, 10 ** np.floor(np.log10(low)), 10 ** np.ceil(np.log10(high))
