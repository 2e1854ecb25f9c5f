"""Calls the test's function with odd arguments."""

# /// attack
# uses = ["liars"]
# limits = {cpu_seconds_per_cell = 20.0, wall_seconds_per_cell = 40.0}
# prints = ["said", "CallbackError"]
# ///

# %% apply
said = []
def apply(f, x):
    odd = [Equal(), Everything(), Arrays(), Functions(), Endless(), Nested(), Length(2**62), None,
           "text", b"bytes", 10**1000, 10**9000, deep(100), cyclic(), np.broadcast_to(1.0, 10**12),
           np.zeros(2).view(EqualArray), filled(Equal()), f, print, double, [f, f], {f: f}, {1: {}},
           Changing(), np.nan, 1j, np.array(["x"]), forever(), Pretends(float), type, Odd()]
    for thing in odd:
        for arguments, named in (((thing,), {}), ((thing, thing), {}), ((), {"x": thing})):
            try:
                said.append(type(f(*arguments, **named)).__name__)
            except Exception as error:
                said.append(type(error).__name__)
    return -1

# %% after
print('said', len(said), sorted(set(said)))
