"""nbgrader's `Autograde` calls the one thing that is replaced in it."""

import inspect

from nbgrader.converters import Autograde
from nbgrader.converters.base import BaseConverter


def test_nbgrader_makes_the_exporter_before_it_calls_the_loop() -> None:
    start = inspect.getsource(BaseConverter.start)
    listed, made = start.index("self.init_notebooks()"), start.index("self.exporter_class(parent=")
    assert listed < made < start.index("self.convert_notebooks()")
    assert "convert_notebooks" not in vars(Autograde)
    assert "start" not in vars(Autograde)


def test_nbgraders_own_loop_sets_permissions_as_ours_does() -> None:
    loop = inspect.getsource(BaseConverter.convert_notebooks)
    assert "self.set_permissions(" in loop
