"""Returns an odd value from every function: one that equals everything, no numbers, or too many."""

# /// attack
# uses = ["liars", "every_answer"]
# prints_unless_problems = ["done"]
# variants = [
#     "Equal()", "EqualFloat()", "Pretends(np.ndarray)", "Changing()",
#     "np.broadcast_to(6.0, 10**12)",
# ]
# ///
