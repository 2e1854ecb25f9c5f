"""Returns an odd value from every function: one that equals everything, no numbers, or too many."""

# /// attack
# uses = ["liars", "every_answer"]
# prints_unless = {done = []}
# variants = [
#     # equal to everything; the first ones get most of the points where a test says `==`
#     "Equal()", "EqualFloat()", "Odd()", "np.zeros(2).view(EqualArray)", "Functions()", "Arrays()",
#     "filled(Equal())", "Everything()", "Pretends(np.ndarray)", "Pretends(float)",
#     # no numbers, and too many
#     "np.nan", "np.full((6, 2), -np.inf)", "np.empty((0, 2))", "np.broadcast_to(6.0, 10**12)",
#     "strided((10**6, 10**6), (0, 0))", "np.ones((1,) * 60)", "10**100_000", "6 + 0j",
#     "Interface(shape=(2,), data=(8, True))", "Interface(shape=(10**15,), data=(8, True))",
#     # other kinds
#     "'6'", "memoryview(b'66')", "np.array(['6', '6'])", "np.array([6], 'M8[s]')",
#     "np.recarray(2, 'f8,i4')", "np.longdouble(5)", "np.ma.masked_all(2)", "np.matrix([0.0, 0.0])",
#     "fractions.Fraction(6)", "Six.SIX", "None", "True", "int", "np", "{6.0}", "Items()",
#     # endless, deep, changing
#     "forever()", "Endless()", "cyclic()", "deep(100_000)", "Nested()", "Length(2**62)", "Bool()",
#     "Changing()", "[[1.0], [2.0, 3.0]]", "[6.0] * 2_000_000", "[[]] * 20_000",
# ]
# ///
