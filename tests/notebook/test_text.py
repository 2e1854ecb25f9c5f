"""The notebook reads well and tells students nothing that is hidden."""

import ast
import doctest
import re

import nbformat
import numpy as np
from nbgrader import utils

import hw_support
from hw_grading.homework.course import scratch_course


def test_the_release_holds_nothing_hidden_and_no_placeholder(source, released):
    text = "\n".join(cell.source for cell in released.cells)
    for word in ("BEGIN", "HIDDEN", "hw_grading", "Mark scheme", "graders only", "{{"):
        assert word not in text
    code = [c.source for c in source.cells if utils.is_solution(c) and c.cell_type == "code"]
    solutions = re.findall(r"### BEGIN SOLUTION\n(.*?)\n *### END", "\n".join(code), re.S)
    assert len(solutions) == len(code)
    assert [solution for solution in solutions if solution in text] == []


def test_the_release_is_what_the_source_generates(released, tmp_path):
    course = scratch_course(tmp_path / "course")
    log = tmp_path / "log"
    assert course.nbgrader("generate_assignment", "hw2", log=log) == 0, log.read_text()
    generated = nbformat.read(course.folder / "release" / "hw2" / "hw2.ipynb", as_version=4)
    assert generated == released, "run `make release` and commit release/"


def test_every_docstring_holds_for_the_reference_solution(source):
    X, y, W, b = hw_support.load_reference_batch()
    names = {"np": np, "hw_support": hw_support, "rng": np.random.default_rng(0)}
    names |= {"X_ref": X, "y_ref": y, "W_ref": W, "b_ref": b}
    examples = 0
    for cell in source.cells:
        if not re.match(r"def ", cell.source) or not utils.is_solution(cell):
            continue
        exec(cell.source, names)
        if "relu_activation" in names and "sigmoid_activation" in names:
            names["ref_activations"] = [names["relu_activation"], names["sigmoid_activation"]]
        function = ast.parse(cell.source).body[0]
        test = doctest.DocTestParser().get_doctest(
            ast.get_docstring(function), names, function.name, None, 0
        )
        options = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
        result = doctest.DocTestRunner(optionflags=options).run(test, clear_globs=False)
        assert result.failed == 0, function.name
        examples += result.attempted
    assert examples >= 10


def test_the_release_imports_nothing_that_students_do_not_have(released):
    imported = set()
    for cell in released.cells:
        if cell.cell_type == "code":
            for node in ast.walk(ast.parse(cell.source)):
                if isinstance(node, ast.Import):
                    imported |= {alias.name for alias in node.names}
                elif isinstance(node, ast.ImportFrom):
                    imported.add(node.module)
    assert imported == {"numpy", "matplotlib.pyplot", "hw_support"}
