"""The links of the documentation lead somewhere, and its index lists every page."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
MOST_BYTES = 150_000


def links_of(page):
    """The relative links and pictures of a page, without their anchors."""
    text = re.sub(
        r"^```.*?^```$|`[^`\n]*`", "", page.read_text(encoding="utf-8"), flags=re.M | re.S
    )
    targets = re.findall(r"\]\(([^)#\s]+)[^)]*\)", text)
    return [page.parent / target for target in targets if "://" not in target]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_each_link_leads_to_a_file_or_a_folder(page):
    assert [str(target) for target in links_of(page) if not target.exists()] == []


def test_the_index_lists_every_page():
    index = ROOT / "docs" / "README.md"
    assert {*(ROOT / "docs").glob("*.md")} - {index} <= {*links_of(index)}


def test_readme_shows_each_picture_and_none_is_large():
    pictures = {*(ROOT / "docs" / "pictures").iterdir()}
    assert pictures == {link for link in links_of(ROOT / "README.md") if link.suffix == ".png"}
    assert all(picture.stat().st_size < MOST_BYTES for picture in pictures)
