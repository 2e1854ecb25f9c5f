"""Deletes names that tests use; right answers keep their points."""

# /// attack
# smoke = true
# answers = "right"
# scores = "all"
# prints = ["done"]
# ///

# %% total
total = 10
del Checks, assert_close
for name in ('In', 'Out', 'exit'):
    globals().pop(name, None)

# %% after
print('d' + 'one')
