"""Copy KaTeX, which sets formulas on the graders' pages, into ``hw_grading/pages/katex/``.

    npm ci --prefix tests/browser     # fetches the version that package.json names
    python -m tools.vendor_katex

Only what browsers of today load is copied: the script, its style sheet with the fonts in WOFF2, and
the licence. ``tests/browser/test_katex.py`` compares the copy with the package.
"""

from __future__ import annotations

import re
from pathlib import Path

from hw_grading.pages import KATEX
from tools.atomic import write_atomically

PACKAGE = Path(__file__).resolve().parents[1] / "tests/browser/node_modules/katex"
_OTHER_FORMATS = re.compile(r",url\([^)]*\.(?:woff|ttf)\) format\(\"[a-z]+\"\)")


def files(package: Path) -> dict[str, bytes]:
    """Return what is copied from KaTeX's package on npm, by its path in the copy."""
    style = (package / "dist/katex.min.css").read_text(encoding="utf-8")
    copied = {
        "LICENSE": (package / "LICENSE").read_bytes(),
        "katex.min.js": (package / "dist/katex.min.js").read_bytes(),
        "katex.min.css": _OTHER_FORMATS.sub("", style).encode(),
    }
    for font in sorted((package / "dist/fonts").glob("*.woff2")):
        copied[f"fonts/{font.name}"] = font.read_bytes()
    return copied


def main() -> None:
    """Write the copy."""
    for name, content in files(PACKAGE).items():
        path = KATEX / name
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, content)


if __name__ == "__main__":
    main()
