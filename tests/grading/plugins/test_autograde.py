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


def test_nbgraders_own_code_has_the_methods_that_the_loop_calls() -> None:
    loop = inspect.getsource(BaseConverter.convert_notebooks)
    for call in ("run_pre_convert_hook()", "run_post_convert_hook()", "set_permissions("):
        assert f"self.{call}" in loop
    single = inspect.getsource(BaseConverter.convert_single_notebook)
    assert "self.write_single_notebook(output, resources)" in single
