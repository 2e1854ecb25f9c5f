"""Returns an odd value from every function: one that equals everything, no numbers, or too many."""

# /// attack
# uses = ["liars", "every_answer"]
# prints_unless = {done = []}
# variants = [
#     # equal to everything; the first ones get most of the points where a test says `==`
#     "Equal()", "EqualFloat()", "EqualInt()", "Odd", "Odd()", "[Equal(), Equal()]",
#     "np.zeros(2).view(EqualArray)", "np.zeros(()).view(EqualArray)", "Functions()", "Arrays()",
#     "filled(Equal())", "filled(EqualFloat())", "Everything()", "types.SimpleNamespace(all=True)",
#     "Pretends(np.ndarray)", "Pretends(np.float64)", "Pretends(float)", "Pretends(list)",
#     # no numbers, and too many
#     "np.nan",
#     "np.inf", "[np.nan, np.nan]", "np.full(2, np.nan)", "np.full((6, 2), -np.inf)", "np.empty(0)",
#     "np.empty((0, 2))", "np.empty((2, 0))", "np.array(np.nan)", "np.broadcast_to(6.0, 10**12)",
#     "np.broadcast_to(6.0, (10**4,) * 3)", "strided((10**6, 10**6), (0, 0))", "np.ones((1,) * 60)",
#     "np.zeros(5_000_000)", "10**1000", "10**100_000", "-(2**63)", "2**64", "6 + 0j",
#     "[complex('nan')] * 2",
#     # other kinds
#     "'6'", "b'6'", "bytearray(b'6')", "memoryview(b'66')",
#     "array.array('d', [6.0])", "np.array(['6', '6'])", "np.array([b'6'])",
#     "np.array([6], 'M8[s]')", "np.void(b'6')", "np.array([(6.0, 6)], 'f8,i4')",
#     "np.recarray(2, 'f8,i4')", "np.longdouble(5)", "np.ma.masked", "np.ma.masked_all(2)",
#     "np.ma.array([7.0, 7.0], mask=True)", "np.matrix([0.0, 0.0])", "fractions.Fraction(6)",
#     "decimal.Decimal(6)", "Six", "None", "Ellipsis", "NotImplemented", "True", "np.True_", "int",
#     "print", "np", "range(2)", "{6.0}", "{2.0: 4.0}", "Items()", "collections.OrderedDict(a=6)",
#     "ValueError('6')",
#     # endless, deep, changing
#     "forever()", "Endless()", "itertools.repeat(6.0)", "cyclic()",
#     "deep(100_000)", "deep(40)", "Nested()", "Length(-1)", "Length(2**62)", "Length('6')",
#     "Bool()", "Changing()", "[[1.0], [2.0, 3.0]]", "[2.0, [4.0]]", "[6.0] * 2_000_000",
#     "[[]] * 20_000", "threading",
# ]
# ///
