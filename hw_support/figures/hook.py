"""Notes the facts of every figure that a kernel draws, in the metadata of the output that shows it.

They are taken when a figure is drawn for an output or saved. A figure that its cell only saved or
closed has them in an output of their own, without data. A figure that would be shown as SVG is
shown as PNG: a few lines of SVG can keep a browser busy for hours. Whatever fails here changes no
output.
"""

from __future__ import annotations

import contextlib
import functools
import importlib
from collections.abc import Callable, Mapping, Sequence
from types import ModuleType
from typing import Any
from weakref import WeakSet

from hw_support.figures.facts import KEY

_MOST_UNSHOWN = 4  # figures of one cell that are in no output
_SVG = "image/svg+xml"


def facts_of(figure: Any, arrays: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Return the facts of a Figure, or of the figure of an Axes, as JSON data.

    `arrays` are those of the notebook by name; one of other than one dimension is left out.
    """
    if not hasattr(figure, "get_size_inches"):
        figure = figure.get_figure() if hasattr(figure, "get_figure") else figure
    if not hasattr(figure, "get_size_inches"):
        kind = type(figure).__name__
        raise TypeError(f"expected a Figure or an Axes of matplotlib, got an object of type {kind}")
    from hw_support.figures.taking import take  # imports matplotlib

    return take(figure, arrays or {})


def install(shell: Any, names: Sequence[str]) -> None:
    """Begin to note facts in an IPython shell; `names` are of arrays that curves may show."""
    notes = _Notes(shell, names)
    formatter = shell.display_formatter
    formatter.format = notes.added_to(formatter.format)
    shell.events.register("post_run_cell", notes.end_cell)
    with contextlib.suppress(ImportError):  # a course may do without matplotlib
        notes.watch(importlib.import_module("matplotlib.backend_bases"))


def _with_png(figure: Any, data: dict[str, Any]) -> dict[str, Any]:
    """Return the data of an output by type, with the figure as PNG in the place of SVG."""
    with contextlib.suppress(Exception):
        from IPython.core.pylabtools import print_figure

        if png := print_figure(figure, fmt="png", base64=True):
            return {**{kind: data[kind] for kind in data if kind != _SVG}, "image/png": png}
    return data


class _Notes:
    """The facts of the figures that the running cell has drawn."""

    def __init__(self, shell: Any, names: Sequence[str]) -> None:
        self._shell, self._names = shell, names
        self._drawn: dict[int, tuple[Any, dict[str, Any]]] = {}  # figures by id, with their facts
        self._shown: set[int] = set()  # the ids of those that an output shows
        self._ever: WeakSet[Any] = WeakSet()  # figures that any cell has drawn

    def watch(self, backends: ModuleType) -> None:
        """Note figures that are drawn or closed by matplotlib, whose module this is."""
        canvas, manager = backends.FigureCanvasBase, backends.FigureManagerBase
        draw, destroy = canvas.print_figure, manager.destroy

        @functools.wraps(draw)
        def print_figure(self: Any, *given: Any, **named: Any) -> Any:
            result = draw(self, *given, **named)
            note(self.figure)
            return result

        @functools.wraps(destroy)
        def closed(self: Any) -> None:
            if self.canvas.figure not in ever:
                note(self.canvas.figure)
            destroy(self)

        note, ever = self._note, self._ever
        canvas.print_figure, manager.destroy = print_figure, closed

    def _note(self, figure: Any) -> None:
        try:
            values = self._shell.user_ns
            arrays = {name: values[name] for name in self._names if name in values}
            if figure.get_axes():
                self._drawn[id(figure)] = figure, facts_of(figure, arrays)
            self._ever.add(figure)
        except Exception:  # no facts then
            self._drawn.pop(id(figure), None)

    def added_to(self, format_: Callable[..., Any]) -> Callable[..., Any]:
        """Return a function that makes an output, with the facts of the figure that it shows."""

        @functools.wraps(format_)
        def format_with_facts(shown: Any, *given: Any, **named: Any) -> Any:
            data, metadata = format_(shown, *given, **named)
            if _SVG in data and id(shown) in self._drawn:
                data = _with_png(shown, data)
            if facts := self._of(shown, data):
                metadata = {**metadata, KEY: facts}
            return data, metadata

        return format_with_facts

    def _of(self, shown: Any, data: Any) -> dict[str, Any] | None:
        """Return the facts of a figure, or of the first one whose saved picture may be shown."""
        number = id(shown)
        if number not in self._drawn:
            texts = (str(data.get(kind, "")) for kind in ("text/html", "text/markdown"))
            pictures = any(kind.startswith("image/") for kind in data)
            if not pictures and not any("<img" in text or "![" in text for text in texts):
                return None
            number = next((one for one in self._drawn if one not in self._shown), 0)
        self._shown.add(number)
        return self._drawn[number][1] if number in self._drawn else None

    def end_cell(self, *_: Any) -> None:
        """Show the facts of figures that are in no output, and begin anew."""
        unshown = [facts for number, (_, facts) in self._drawn.items() if number not in self._shown]
        self._drawn.clear()
        self._shown.clear()
        for facts in unshown[:_MOST_UNSHOWN]:
            self._shell.display_pub.publish({}, {KEY: {**facts, "shown": False}})
