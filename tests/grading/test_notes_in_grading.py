"""Notes of a test cell are the same from the examiner as from a notebook."""

from hw_grading.examiner.examination import run_cell

CELL = """from hw_support import Checks
checks = Checks("f", points=3)
with checks("a part", points=2):
    pass
with checks("hidden", points=1, hidden=True):
    checks.note("The hidden input was 42.")
checks.note("Your two gradients disagree.")
checks.score()"""


def test_a_note_is_an_output_and_does_not_change_the_score():
    printed, score = run_cell(CELL, "test_f", {"__name__": "__main__"})
    assert "note    Your two gradients disagree.\n" in printed["text"]
    assert "42" not in printed["text"]
    assert score["output_type"] == "execute_result"
    assert float(score["data"]["text/plain"]) == 3.0
