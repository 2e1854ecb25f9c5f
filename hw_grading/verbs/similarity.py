"""Find pairs of students with similar code.

Compares what students wrote, without the released notebook. Writes a page. Similarity is no
evidence: a person must read both answers.
"""

import argparse
from pathlib import Path

from hw_grading.verbs import FINE, TO_DO


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("--out", type=Path, help="the page (default: similarity_<homework>.html)")
    add("--most", type=int, default=40, help="how many pairs the page shows (default: 40)")


def run(chosen: argparse.Namespace) -> int:
    """Write the page, print where it is, and return the exit status."""
    from hw_grading.analysis.similarity import write_similarity
    from hw_grading.gradebook.graded_notebook import plain
    from hw_grading.gradebook.writing import expect_ending

    out = chosen.out or chosen.course / f"similarity_{chosen.assignment}.html"
    out = expect_ending(out, "--out", ".html", ".htm")
    left_out = write_similarity(chosen.course, chosen.assignment, out, max(chosen.most, 0))
    for student, why in left_out.items():
        print(f"{plain(student, 60)}: {why}")
    print(out)
    return TO_DO if left_out else FINE
