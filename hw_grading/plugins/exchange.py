"""Collects from nbgrader's exchange, where students own the folders."""

import shutil

from nbgrader.exchange.default import ExchangeCollect


class CollectFiles(ExchangeCollect):
    """``nbgrader collect``: a student's link stays a link, so it never becomes a file of yours.

    The exchange's own class copies what a link points to, such as the solutions.
    """

    def do_copy(self, src: str, dest: str) -> None:
        """Copy a submission into ``submitted/``; grading refuses a notebook that is a link."""
        shutil.copytree(src, dest, symlinks=True)
