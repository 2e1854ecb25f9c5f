"""Find similar answers, and show the matching lines side by side.

Compares what students wrote, without the text of the released notebook. Writes a page and a table
of the most similar pairs. Similarity is no evidence: a person must read both answers.
"""

import argparse
from pathlib import Path

from hw_grading import DISTRIBUTION
from hw_grading.verbs import FINE, TO_DO


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("--out", type=Path, help="the page (default: similarity_<homework>.html)")
    add("--most", type=int, default=40, help="how many pairs the page shows (default: 40)")


def run(chosen: argparse.Namespace) -> int:
    """Write page and table, print where they are, and return the exit status."""
    try:
        import copydetect  # noqa: F401
    except ImportError:
        raise RuntimeError(
            "Comparing answers needs the package copydetect, which is not installed: "
            f"pip install '{DISTRIBUTION}[similarity]'"
        ) from None
    from hw_grading.records.graded_notebook import plain
    from hw_grading.records.scores import counted
    from hw_grading.records.writing import expect_ending
    from hw_grading.similarity.page import table_of, write_similarity

    out = chosen.out or chosen.course / f"similarity_{chosen.assignment}.html"
    out = expect_ending(out, "--out", ".html", ".htm")
    compared = write_similarity(chosen.course, chosen.assignment, out, max(chosen.most, 0))
    print(f"{counted(compared.compared, 'submission')} compared.")
    for student, why in (*compared.skipped, *compared.partly):
        print(f"{plain(student, 60)}: {why}")
    print(out, table_of(out), sep="\n")
    return TO_DO if compared.skipped or compared.partly else FINE
