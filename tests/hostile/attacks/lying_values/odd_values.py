"""Returns an odd value from every function: one that equals everything, no numbers, or too many."""

# /// attack
# uses = ["liars", "every_answer"]
# prints_unless_problems = ["done"]
# variants = [
#     # equal to everything; the first ones get most of the points where a test says `==`
#     "Equal()", "[Equal(), 6.0]", "EqualFloat()", "np.zeros(2).view(EqualArray)",
#     "Functions()", "Arrays()", "Odd()", "Everything()", "Pretends(np.ndarray)",
#     # no numbers, and too many
#     "np.nan", "np.broadcast_to(6.0, 10**12)", "np.ones((1,) * 60)", "10**100_000",
#     "Interface(shape=(10**15,), data=(8, True))",
#     # other kinds
#     "'6'", "np.array([6], 'M8[s]')", "np.ma.masked_all(2)", "None", "np", "Items()",
#     # endless, deep, changing
#     "Endless()", "cyclic()", "deep(100_000)", "Length(2**62)", "Bool()", "Changing()",
#     "[[]] * 20_000",
# ]
# ///
