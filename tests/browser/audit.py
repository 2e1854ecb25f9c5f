"""An automatic accessibility audit of a page, by axe-core.

It finds what a program can find: missing alt text, low contrast, headings in the wrong order,
tables without headers, elements that no keyboard reaches. It cannot tell whether a text makes
sense.
"""

import json
import shutil
import subprocess
from pathlib import Path

import pytest
from playwright.sync_api import Page

HERE = Path(__file__).parent
IMPACTS = ("serious", "critical")
# Best practices that these tests require, although axe-core does not call them serious.
ALSO = ("heading-order", "page-has-heading-one", "empty-heading", "region", "landmark-one-main")


def installed(package: str, place: Path = HERE) -> Path:
    """Return a package's folder; install from the lock file of the place if need be."""
    folder = place / "node_modules" / package
    wanted = json.loads((place / "package-lock.json").read_text())["packages"]
    version = wanted[f"node_modules/{package}"]["version"]
    about = folder / "package.json"
    if not about.exists() or json.loads(about.read_text())["version"] != version:
        npm = shutil.which("npm")
        if npm is None:
            pytest.fail("tests of pages need npm; on Debian: apt-get install npm")
        command = [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
        subprocess.run(command, cwd=place, check=True)
    return folder


def findings(page: Page) -> list[str]:
    """Audit the page that is loaded, in a context that bypasses its Content-Security-Policy.

    Returns
    -------
    list of str
        For each element with a serious or critical finding: the rule, what it asks for, where.
    """
    page.add_script_tag(path=installed("axe-core") / "axe.min.js")
    violations = page.evaluate(
        """async () => (await axe.run()).violations.map(v => ({
            rule: v.id,
            impact: v.impact,
            nodes: v.nodes.map(n => `${n.target.join(" ")}: ${n.failureSummary}`),
        }))"""
    )
    return [
        f"{violation['rule']} ({violation['impact']}): {' '.join(node.split())}"
        for violation in violations
        if violation["impact"] in IMPACTS or violation["rule"] in ALSO
        for node in violation["nodes"]
    ]


def sideways(page: Page) -> list[str]:
    """Return the elements with text that has to be scrolled sideways to be read.

    A formula may be wider than the page, because it cannot be broken into lines.
    """
    return page.evaluate(
        """() => [...document.querySelectorAll("*")]
            .filter(e => e.scrollWidth > e.clientWidth + 1 && e.innerText?.trim()
                && getComputedStyle(e).display !== "inline"
                && !e.matches(".formula")
                && (e === document.documentElement || e === document.body
                    || getComputedStyle(e).overflowX !== "visible"))
            .map(e => `${e.tagName} ${e.className}: ${e.scrollWidth} > ${e.clientWidth}`)"""
    )
