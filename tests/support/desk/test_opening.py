"""For a file that is not a notebook of this homework, there is one sentence and no change."""

import json
import os
import threading
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer

import nbformat
import pytest

from hw_grading.commands.sample import cell_of
from hw_support.desk import opening
from hw_support.desk.errors import DeskError
from hw_support.desk.opening import difference, open_notebook
from hw_support.submission.cells import grade_id_of
from hw_support.submission.problems import quoted

NO_NOTEBOOKS = {
    "an empty file": (b"", "found an empty file"),
    "a PDF": (b"%PDF-1.7\n\xff\xfe", "other bytes"),
    "a saved web page": (b"<!DOCTYPE html><html></html>", "begins with '<!DOCTYPE html>"),
    "half a notebook": (b'{"cells": [{"cell_type": "code", "sour', "ends in the middle (38 bytes)"),
    "another language's notebook": (
        json.dumps(nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("x <- 1")])).encode(),
        "is not hw2: it has none of this homework's cells. It begins with 'x <- 1'",
    ),
}


@pytest.mark.parametrize("name", NO_NOTEBOOKS)
def test_a_file_of_no_known_homework_is_named_and_unchanged(name, tmp_path, release):
    content, sentence = NO_NOTEBOOKS[name]
    path = tmp_path / "my hömework 2.ipynb"
    path.write_bytes(content)
    with pytest.raises(DeskError) as error:
        open_notebook(path, [release])
    assert sentence in str(error.value)
    assert "scores" not in str(error.value)
    assert path.read_bytes() == content


def test_a_notebook_without_grade_ids_is_known_by_its_first_line(tmp_path, answered, release):
    texts = {
        cell.metadata.nbgrader.grade_id: cell.source for cell in answered.cells if cell.metadata
    }
    for cell in answered.cells:
        cell.metadata = {}
    nbformat.write(answered, tmp_path / "hw2.ipynb")
    opened = open_notebook(tmp_path / "hw2.ipynb", [release])
    there = {grade_id_of(cell): cell.source for cell in opened.notebook.cells}
    for cell in release.cells:
        if cell.locked or cell.is_for_a_person:
            assert there[cell.grade_id] == texts[cell.grade_id]
    answered.cells[0].source = "# Mine"
    nbformat.write(answered, tmp_path / "hw2.ipynb")
    with pytest.raises(DeskError, match="another program has removed the grade ids"):
        open_notebook(tmp_path / "hw2.ipynb", [release])


def test_a_folder_is_answered_with_the_file_in_it(tmp_path, release):
    with pytest.raises(
        DeskError, match=r"is a folder\. Type the name of the notebook in it: .*hw2\.ipynb"
    ):
        open_notebook(tmp_path, [release])


def test_a_missing_file_is_answered_with_the_files_that_exist(tmp_path, released, release):
    nbformat.write(released, tmp_path / "hw2 (1).ipynb")
    with pytest.raises(DeskError, match=r"Did you mean \S+hw2 \(1\)\.ipynb\?"):
        open_notebook(tmp_path / "hw2.ipynb", [release])


def test_a_name_without_its_ending_is_answered_with_this_notebook_only(tmp_path, released, release):
    for name in ("hw2.ipynb", "hw2-old.ipynb"):
        nbformat.write(released, tmp_path / name)
    with pytest.raises(DeskError, match=r"Did you mean \S+hw2\.ipynb\?"):
        open_notebook(tmp_path / "hw2", [release])


def test_a_file_that_is_no_notebook_is_answered_with_the_notebook_beside_it(
    tmp_path, released, release
):
    nbformat.write(released, tmp_path / "hw2.ipynb")
    page = tmp_path / "START.html"
    page.write_text("<!DOCTYPE html>")
    asked = r"The name of a notebook ends in \.ipynb\. Did you mean \S+hw2\.ipynb\?"
    with pytest.raises(DeskError, match=asked):
        open_notebook(page, [release])
    (tmp_path / "hw2.ipynb").write_text("<!DOCTYPE html>")
    with pytest.raises(DeskError, match=r"Expecting value\)\.$"):
        open_notebook(tmp_path / "hw2.ipynb", [release])


def test_outputs_of_200_megabytes_are_refused_with_their_size(tmp_path, released, release):
    path = tmp_path / "hw2.ipynb"
    nbformat.write(released, path)
    with path.open("ab") as stream:
        stream.truncate(200_000_000)
    with pytest.raises(
        DeskError, match=r"found 200,000,000\. Clear its outputs to make it smaller"
    ):
        open_notebook(path, [release])


def test_an_untouched_notebook_opens_without_a_change(tmp_path, released, release):
    path = tmp_path / "hw2.ipynb"
    nbformat.write(released, path)
    opened = open_notebook(path, [release])
    assert opened.changes == []
    assert [c.source for c in opened.notebook.cells] == [c.source for c in released.cells]
    marks = [[c.metadata.get("nbgrader") for c in nb.cells] for nb in (opened.notebook, released)]
    assert marks[0] == marks[1]


def test_a_cell_of_an_earlier_release_is_reported_with_the_new_line(tmp_path, released, release):
    from nbgrader.utils import compute_checksum

    cell = cell_of(released, "test_relu_activation")
    first, _, rest = cell.source.partition("\n")
    cell.source = f"# as it was in spring\n{rest}"
    cell.metadata.nbgrader["checksum"] = compute_checksum(cell)
    nbformat.write(released, tmp_path / "hw2.ipynb")
    (change,) = open_notebook(tmp_path / "hw2.ipynb", [release]).changes
    assert "'test_relu_activation' is from an earlier release" in change.message
    assert change.message.endswith(
        f"Line 1 was '# as it was in spring' and is now {quoted(first)}."
    )


@pytest.mark.parametrize(
    ("before", "now", "sentence"),
    [
        ("a\nb\nc", "a\nB\nc", "Line 2 was 'b' and is now 'B'."),
        ("a\nb\nc\nd", "a\nB\nc\nD\ne", "Line 2 was 'b' and is now 'B'; 2 more lines differ."),
        ("a\nb", "a\nb\nc", "Line 3, 'c', is new."),
        ("a\nb\nc", "c", "Line 1, 'a', is missing; 1 more line differs."),
        ("", "a", "Line 1, 'a', is new."),
        ("a  \nb\n", "a\nc", "Line 2 was 'b' and is now 'c'."),
        ("a\x1b[2J", "a", "Line 1 was 'a\N{REPLACEMENT CHARACTER}[2J' and is now 'a'."),
    ],
)
def test_the_first_line_that_differs_is_shown(before, now, sentence):
    assert difference(before, now) == sentence


class Sessions(BaseHTTPRequestHandler):
    content = b"[]"

    def do_GET(self):
        assert self.headers["Authorization"] == "token secret"
        self.send_response(200)
        self.end_headers()
        self.wfile.write(self.content)

    def log_message(self, *_):
        pass


@pytest.fixture
def jupyter(tmp_path, monkeypatch):
    """A Jupyter server with hw2.ipynb open, whose kernel was used at a given time."""
    server = HTTPServer(("127.0.0.1", 0), Sessions)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    runtime = tmp_path / "runtime"
    runtime.mkdir()
    url = f"http://127.0.0.1:{server.server_port}/"
    entry = {"url": url, "token": "secret", "root_dir": str(tmp_path)}
    (runtime / "jpserver-1.json").write_text(json.dumps(entry))
    (runtime / "jpserver-2.json").write_text("half of an entr")
    monkeypatch.setenv("JUPYTER_RUNTIME_DIR", str(runtime))

    def used_at(seconds):
        moment = datetime.fromtimestamp(seconds, UTC).isoformat().replace("+00:00", "Z")
        session = {"path": "hw2.ipynb", "kernel": {"last_activity": moment}}
        elsewhere = {"path": "other.ipynb", "kernel": {"last_activity": moment}}
        Sessions.content = json.dumps([elsewhere, session]).encode()

    yield used_at
    server.shutdown()
    server.server_close()


def test_a_kernel_that_was_used_after_the_file_was_saved_is_noticed(
    tmp_path, released, release, jupyter
):
    path = tmp_path / "hw2.ipynb"
    nbformat.write(released, path)
    os.utime(path, (1_700_000_000, 1_700_000_000))
    jupyter(1_700_000_060)
    unsaved = open_notebook(path, [release]).unsaved
    assert "open in Jupyter" in unsaved
    assert "save it (Ctrl-S)" in unsaved
    jupyter(1_700_000_000)
    assert open_notebook(path, [release]).unsaved is None


def test_a_server_that_has_ended_causes_no_delay(tmp_path, monkeypatch):
    entry = {"url": "http://127.0.0.1:9/", "token": "", "root_dir": str(tmp_path)}
    (tmp_path / "jpserver-1.json").write_text(json.dumps(entry))
    monkeypatch.setenv("JUPYTER_RUNTIME_DIR", str(tmp_path))
    assert list(opening._uses(tmp_path)) == []
