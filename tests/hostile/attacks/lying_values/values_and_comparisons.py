"""Returns a value that claims to be equal, to comparisons that are written in many ways.

`Equal` passes most of them where the test runs in the student's kernel.
"""

# /// attack
# checked_in = "test_lying_values.py"
# uses = ["liars", "every_answer"]
# prints = ["done"]
# variants = [
#     "Equal()", "EqualFloat()", "EqualInt()", "np.zeros(()).view(EqualArray)", "Functions()",
#     "Everything()", "Pretends(float)", "Changing()", "filled(Equal())",
# ]
# ///
