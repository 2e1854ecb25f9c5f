"""Which question, heading and mark scheme each cell of the instructor's notebook has."""

import json

import pytest

from hw_grading.homework.notebook import read_places

MARKDOWN = {"cell_type": "markdown", "metadata": {}}


def places(tmp_path, *texts):
    """Where a cell named "x" stands below these texts."""
    cells = [{**MARKDOWN, "source": text} for text in texts]
    answer = {"cell_type": "code", "source": "", "metadata": {"nbgrader": {"grade_id": "x"}}}
    path = tmp_path / "notebook.ipynb"
    path.write_text(json.dumps({"cells": [*cells, answer], "metadata": {}, "nbformat": 4}))
    return read_places(path)["x"]


@pytest.mark.parametrize(
    ("texts", "question", "title"),
    [
        (["## 1.3 Gradients", "### 1.3e What it shows"], "1.3e", "What it shows"),
        (["### 1.3e What it shows", "#### ii. Accuracies (4 points)"], "1.3e", "ii. Accuracies"),
        (["## Q0.6 How small? (3 points)", "### a. The plot (1 point)"], "Q0.6", "a. The plot"),
        (["## Q0.5 Central difference (2 points)"], "Q0.5", "Central difference"),
        (["## Certification (1 point)"], "Certification", "Certification"),
        (["### Parts", "#### One"], "Parts", "One"),
        (["## 1.2 Functions", "## Certification"], "Certification", "Certification"),
        ([], "x", "x"),
    ],
)
def test_a_cell_counts_under_the_innermost_numbered_heading(tmp_path, texts, question, title):
    place = places(tmp_path, *texts)
    assert (place.question, place.title) == (question, title)


def test_a_question_is_shown_without_its_mark_scheme(tmp_path):
    text = "### 1.3 Why\nWhy?\n<!-- BEGIN MARK SCHEME -->\n- 1: right.\n<!-- END MARK SCHEME -->"
    place = places(tmp_path, text)
    assert place.text == "### 1.3 Why\nWhy?"
    assert place.scheme == "- 1: right."
