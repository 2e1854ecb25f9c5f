"""A canvas in the notebook: draw a digit, and read what a network says of it at each stroke."""

from __future__ import annotations

import itertools
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.float64]

_SIDE, _ZOOM = 28, 10  # pixels of the image, and of the screen for each of them
_PEN = 1.4  # the distance from a stroke, in pixels of the image, at which its ink ends
_FRAME = 4  # pixels: in MNIST, digits lie within the middle 20 x 20
# The corners of a nine: x and y.
_NINE = [(17, 11), (15, 7), (11, 7), (10, 11), (12, 14), (16, 13), (17, 9), (17, 15), (14, 22)]
_CENTRES = np.stack(np.meshgrid(*2 * [np.arange(_SIDE) + 0.5]), axis=-1)  # (28, 28, 2): x, y


def draw_digit(says: Callable[[Image], Any]) -> Image:
    """Show a canvas to draw a three or a nine on, with the mouse or a finger.

    Parameters
    ----------
    says : function of an image (28, 28), pixels from 0 to 1
        Returns the probability of a nine. It is called at each stroke, and the canvas says what
        it returned.

    Returns
    -------
    The drawing, float64 (28, 28): 0 everywhere at first. It changes in place as you draw. Where
    there is no canvas, a picture of a nine is shown and returned.
    """
    drawing = np.zeros((_SIDE, _SIDE))
    try:
        if "google.colab" in sys.modules:  # its page has no canvas
            raise ImportError
        import ipycanvas
        import ipywidgets
    except ImportError:
        _show_a_nine(says, drawing)
        return drawing
    canvas = ipycanvas.Canvas(width=_SIDE * _ZOOM, height=_SIDE * _ZOOM)
    verdict = ipywidgets.HTML()
    last: list[tuple[float, float]] = []  # the end of the stroke that is being drawn

    def paint(where: NDArray[np.bool_]) -> None:
        rows, columns = np.nonzero(where)
        greys = np.rint(255 * drawing[rows, columns]).astype(int)
        colours = np.repeat(greys[:, None], 3, axis=1)
        with ipycanvas.hold_canvas(canvas):
            canvas.fill_styled_rects(_ZOOM * columns, _ZOOM * rows, _ZOOM, _ZOOM, colours)
            canvas.stroke_style = "#666666"
            canvas.stroke_rect(_ZOOM * _FRAME, _ZOOM * _FRAME, _ZOOM * (_SIDE - 2 * _FRAME))
        verdict.value = _verdict(says, drawing)

    def move(x: float, y: float) -> None:
        if last:
            paint(_add_stroke(drawing, last.pop(), (x / _ZOOM, y / _ZOOM)))
            last.append((x / _ZOOM, y / _ZOOM))

    def begin(x: float, y: float) -> None:
        last[:] = [(x / _ZOOM, y / _ZOOM)]
        move(x, y)

    def end(*_: Any) -> None:
        last.clear()

    def clear(*_: Any) -> None:
        drawing[:] = 0
        paint(np.ones_like(drawing, dtype=bool))

    canvas.on_mouse_down(begin)
    canvas.on_mouse_move(move)
    canvas.on_mouse_up(end)
    canvas.on_mouse_out(end)
    canvas.on_touch_start(lambda touches: begin(*touches[0]))
    canvas.on_touch_move(lambda touches: move(*touches[0]))
    canvas.on_touch_end(end)
    button = ipywidgets.Button(description="Clear")
    button.on_click(clear)
    clear()
    beside = ipywidgets.VBox([verdict, button], layout={"margin": "0 0 0 1em"})
    _display(ipywidgets.HBox([canvas, beside]))
    return drawing


def _show_a_nine(says: Callable[[Image], Any], drawing: Image) -> None:
    """Draw a nine, and show it with what the network says of it."""
    from IPython.display import HTML, display
    from PIL.Image import Resampling, fromarray  # Pillow: Matplotlib needs it

    print("Here is a picture: a canvas needs JupyterLab or VS Code, and `pip install ipycanvas`.")
    for start, end in itertools.pairwise(_NINE):
        _add_stroke(drawing, start, end)
    picture = fromarray(np.rint(255 * drawing).astype(np.uint8))
    display(picture.resize((_ZOOM * _SIDE, _ZOOM * _SIDE), Resampling.NEAREST))
    display(HTML(_verdict(says, drawing)))


def _add_stroke(image: Image, start: tuple[float, float], end: tuple[float, float]) -> Any:
    """Draw a straight stroke into an image; return which pixels changed, bool (28, 28).

    `start` and `end` are x and y in pixels of the image.
    """
    from_start, along = _CENTRES - start, np.subtract(end, start)
    share = np.clip(from_start @ along / max(float(along @ along), 1e-12), 0, 1)
    away = np.linalg.norm(from_start - share[..., None] * along, axis=-1)
    darker = np.maximum(image, np.clip(_PEN + 0.5 - away, 0, 1))
    changed = darker > image
    image[:] = darker
    return changed


def _verdict(says: Callable[[Image], Any], drawing: Image) -> str:
    """Return in HTML what the network says of a drawing; what went wrong if it fails."""
    if not drawing.any():
        return "<b>Draw a three or a nine</b><br>within the frame."
    try:
        nine = float(np.squeeze(says(drawing.copy())))
    except Exception as error:
        return f"<b>Your network raised {type(error).__name__}.</b><br>Call it yourself to see why."
    digit, sure = ("nine", nine) if nine > 0.5 else ("three", 1 - nine)
    return f"<b style='font-size: 200%'>a {digit}</b><br>with probability {sure:.4f}"


def _display(widget: Any) -> None:
    """Display a widget, with a sentence in place of its repr where it cannot be shown."""
    from IPython.display import display

    text = "A canvas to draw on. It needs JupyterLab with ipycanvas, and a running kernel."
    display({**widget._repr_mimebundle_(), "text/plain": text}, raw=True)
