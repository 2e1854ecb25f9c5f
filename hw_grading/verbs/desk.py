"""Grade by hand in the browser.

Opens the desk of a homework. Passes all other options on to Jupyter Server.
"""

import argparse
from pathlib import Path
from urllib.parse import quote

TAKES_MORE = True


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    # Unknown options go to Jupyter Server. This one is the desk's, in any position.
    add("--course", type=Path, default=argparse.SUPPRESS, help=argparse.SUPPRESS)
    add("--port", type=_port, help="port of the server (default: the first free one from 8888 on)")
    add("--grid", metavar="CELL", help="begin with all answers to this question, side by side")
    add("--no-browser", action="store_true", help="print the address only")


def _port(text: str) -> int:
    if not text.isdecimal() or not 0 < int(text) < 65_536:
        raise argparse.ArgumentTypeError(f"expected a number from 1 to 65535, found {text!r}")
    return int(text)


def run(chosen: argparse.Namespace) -> None:
    """Serve until it is stopped."""
    from hw_grading.desk.app import serve

    page = f"grid/{quote(chosen.grid, safe='')}" if chosen.grid else ""
    browser = not chosen.no_browser
    serve(chosen.course, chosen.assignment, page, chosen.port, browser, chosen.more)
