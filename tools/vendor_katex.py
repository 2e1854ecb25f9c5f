"""Copy KaTeX, which sets formulas, into ``hw_grading/rendering/katex/``.

    npm ci --prefix tests/browser     # fetches the version that package.json names
    python -m tools.vendor_katex

Only the script and its licence are copied: formulas are MathML, which needs neither the style sheet
nor the fonts. ``tests/browser/test_katex.py`` compares the copy with the package.
"""

from pathlib import Path

from hw_grading.rendering import KATEX
from tools.atomic import write_atomically

PACKAGE = Path(__file__).resolve().parents[1] / "tests/browser/node_modules/katex"


def files(package: Path) -> dict[str, bytes]:
    """Return what is copied from KaTeX's package on npm, by its name in the copy."""
    sources = (package / "LICENSE", package / "dist/katex.min.js")
    return {source.name: source.read_bytes() for source in sources}


def main() -> None:
    """Write the copy."""
    KATEX.mkdir(exist_ok=True)
    for name, content in files(PACKAGE).items():
        write_atomically(KATEX / name, content)


if __name__ == "__main__":
    main()
