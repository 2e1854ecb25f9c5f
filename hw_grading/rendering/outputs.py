"""Decides which outputs of a notebook may enter a page: text, pictures and cleaned HTML."""

import re
from collections.abc import Mapping
from typing import Any

from nbconvert.preprocessors import Preprocessor
from nbformat import NotebookNode

from hw_grading.rendering.allowance import Allowance, allowance_of
from hw_grading.rendering.aside import SVG, not_drawn, picture_uri, pixels_of
from hw_grading.rendering.cleaning import clean_html
from hw_support.submission.cells import text_of
from hw_support.submission.problems import encodable, quoted

_MOST_TERMINAL_CODES = 2_000  # in one printed text
_LONGEST_TERMINAL_CODE = 40
_TERMINAL_CODE = re.compile(r"\x1b\[([^@-~\n]*)[@-~]")


def clean_outputs(cell: NotebookNode, allowance: Allowance | None = None) -> int:
    """Clean the outputs of a code cell, valid in notebook format 4, in place.

    `allowance` is the time that is left for the notebook's HTML; beyond it HTML becomes text.
    Return how many were dropped or changed, even harmlessly (such as a table without its style).
    """
    allowance = allowance or Allowance()
    known = ("display_data", "execute_result", "stream", "error")
    kept = [output for output in cell.outputs if output.output_type in known]
    changed = len(cell.outputs) - len(kept)
    for output in kept:
        if output.output_type == "stream":
            sent, output.text = text_of(output.text), _few_colours(text_of(output.text))
            changed += output.text != sent
        elif output.output_type == "error":
            sent = output.traceback
            output.traceback = [_few_colours(line) for line in sent]
            changed += output.traceback != sent
        else:
            changed += _clean_bundle(output, allowance)
    cell.outputs = kept
    return changed


class CleanOutputs(Preprocessor):
    """Cleans the outputs of all code cells before a page is made; clean ones stay as they are."""

    def preprocess_cell(
        self, cell: NotebookNode, resources: Any, index: int
    ) -> tuple[NotebookNode, Any]:
        """Clean the outputs of one cell, if it is a code cell."""
        if cell.cell_type == "code":
            clean_outputs(cell, allowance_of(resources))
        return cell, resources


def _clean_bundle(output: NotebookNode, allowance: Allowance) -> bool:
    """Clean a bundle of data by type. Return whether anything is shown differently."""
    sent = {mime: text_of(value) for mime, value in output.data.items()}
    data = NotebookNode()
    if "text/plain" in sent:
        data["text/plain"] = _few_colours(sent["text/plain"])
    for mime in ("image/png", "image/jpeg", "image/gif"):
        found = mime in sent and picture_uri(mime, sent[mime])
        if found and allowance.takes(pixels_of(mime, sent[mime])):
            data[mime] = sent[mime]
    if "text/html" in sent:
        cleaned = clean_html(sent["text/html"], allowance=allowance)
        if not _is_blank(cleaned):
            data["text/html"] = cleaned
    if sent.get(SVG) and not set(data) - {"text/plain"}:
        note = not_drawn(len(encodable(sent[SVG]).encode()))
        data["text/plain"] = "\n".join(filter(None, [note, data.get("text/plain")]))
    if sent and not data:
        kinds = quoted(", ".join(sorted(sent)), 200)
        data["text/plain"] = f"An output of type {kinds} is not shown."
    metadata = _sizes(output.get("metadata") or {}, data)
    for key in set(output) - {"output_type", "execution_count"}:
        del output[key]
    output.data, output.metadata = data, metadata
    return bool(dict(data) != sent)


def _sizes(metadata: Mapping[str, Any], data: Mapping[str, str]) -> NotebookNode:
    """Keep the widths and heights of pictures, which nbconvert writes into attributes."""
    sizes = NotebookNode()
    for mime in data:
        entry = metadata.get(mime)
        entry = entry if isinstance(entry, dict) else metadata
        values = {key: entry.get(key, 0) for key in ("width", "height")}
        numbers = {k: v for k, v in values.items() if type(v) in (int, float) and 0 < v < 10_000}
        if mime.startswith("image/") and numbers:
            sizes[mime] = NotebookNode(numbers)
    return sizes


def _is_blank(cleaned: str) -> bool:
    return "<img" not in cleaned and not re.sub(r"<[^>]*>", "", cleaned).strip()


def _few_colours(text: str) -> str:
    """Drop a text's colours if there are so many that nbconvert would take minutes for them."""
    codes = _TERMINAL_CODE.findall(text)
    many = len(codes) > _MOST_TERMINAL_CODES or any(len(c) > _LONGEST_TERMINAL_CODE for c in codes)
    return _TERMINAL_CODE.sub("", text) if many else text
