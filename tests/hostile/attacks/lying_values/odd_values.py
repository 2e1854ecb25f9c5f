"""Returns an odd value from every function: one that equals everything, no numbers, or too many."""

# /// attack
# uses = ["liars", "every_answer"]
# prints_unless_problems = ["done"]
# variants = [
#     # equal to everything; the first ones get most of the points where a test says `==`
#     "Equal()", "[Equal(), 6.0]", "EqualFloat()", "np.zeros(2).view(EqualArray)", "Functions()",
#     "Arrays()", "Odd()", "Pretends(np.ndarray)",
#     # no numbers, too many, endless, changing
#     "np.nan", "np.array([6], 'M8[s]')", "np.broadcast_to(6.0, 10**12)", "Endless()", "Changing()",
# ]
# ///
