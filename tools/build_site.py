"""Build the site of the documentation, from the pages that are read in the repository.

    python -m tools.build_site dist/site

MkDocs needs one folder with all pages. This program copies the pages and what they link to into a
temporary one, in the places that they have in the repository. A link, or a heading in a link, that
leads nowhere ends the program with the page's name. Install the extra ``site``.
"""

import argparse
import logging
import re
import shutil
import tempfile
from pathlib import Path

from mkdocs.commands.build import build
from mkdocs.config import load_config

ROOT = Path(__file__).resolve().parents[1]
SETTINGS = ROOT / "mkdocs.yml"
_LINK = re.compile(r"\]\(([^)#\s]+)")


def pages() -> list[Path]:
    """Return the pages of the documentation, by their paths in the repository."""
    return [p.relative_to(ROOT) for p in sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")])]


def copy_pages(folder: Path) -> None:
    """Copy the pages into a folder, with the files that they link to."""
    for page in pages():
        linked = _LINK.findall((ROOT / page).read_text(encoding="utf-8"))
        targets = [(ROOT / page.parent / name).resolve() for name in linked if "://" not in name]
        for source in [ROOT / page, *(target for target in targets if target.is_file())]:
            copy = folder / source.relative_to(ROOT)
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, copy)


def main() -> None:
    """Build the site."""
    parser = argparse.ArgumentParser(description="Build the site of the documentation.")
    parser.add_argument("folder", type=Path, help="the site's folder, which is replaced")
    asked = parser.parse_args()
    logging.basicConfig(format="%(message)s", level=logging.WARNING)
    with tempfile.TemporaryDirectory(prefix="site-") as copied:
        copy_pages(Path(copied))
        site = str(asked.folder.absolute())
        build(load_config(str(SETTINGS), docs_dir=copied, site_dir=site, strict=True))
    print(f"{asked.folder / 'index.html'}")


if __name__ == "__main__":
    main()
