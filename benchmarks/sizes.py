"""The lines of each package, the words of pages and notebooks, for a reviewer to read."""

import re
import subprocess
from collections import Counter
from pathlib import Path

import nbformat

ROOT = Path(__file__).resolve().parents[1]
# Of these folders each package has a row.
PACKAGES = ("hw_support", "hw_grading", "staff")
CODE = {".py", ".js"}
GENERATED = {"docs/reference.md", "docs/validity.md"}
_NO_WORDS = re.compile(r"^```.*?^```|\$\$.*?\$\$", re.M | re.S)  # code and formulas of their own


def run() -> None:
    """Print a row for each package, folder of tests and tools, for the pages and the notebooks."""
    lines: Counter[str] = Counter()
    words: Counter[str] = Counter()
    named = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    for name in named.stdout.splitlines():
        path = Path(name)
        if path.suffix in CODE and "answers" not in path.parts:
            deep = 2 if path.parts[0] in PACKAGES and len(path.parts) > 2 else 1
            place = "/".join(path.parts[:deep])
            lines[place + (" (JavaScript)" if path.suffix == ".js" else "")] += _count_lines(path)
        elif path.parts[0] == "release" and path.suffix == ".ipynb":
            words[f"in the texts of {path.name}"] += _words_of_texts(path)
        elif path.suffix == ".md":
            kind = "generated" if name in GENERATED else "by hand"
            words[kind] += _words_in((ROOT / path).read_text(encoding="utf-8"))
    for place, count in sorted(lines.items()):
        print(f"{count:7,} lines  {place}")
    for kind, count in sorted(words.items()):
        print(f"{count:7,} words  {kind}")


def _count_lines(path: Path) -> int:
    return (ROOT / path).read_text(encoding="utf-8").count("\n")


def _words_in(text: str) -> int:
    """Count what has a letter or a digit, without code and formulas of their own."""
    return sum(bool(re.search(r"\w", word)) for word in _NO_WORDS.sub("", text).split())


def _words_of_texts(path: Path) -> int:
    """Count the words in the texts that students read."""
    cells = nbformat.read(ROOT / path, as_version=4).cells
    return sum(_words_in(cell.source) for cell in cells if cell.cell_type == "markdown")
