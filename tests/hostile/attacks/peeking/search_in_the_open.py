"""Looks for something that is not hidden, and finds it: the other searches could do so too."""

# /// attack
# checked_in = "test_attacks.py"
# uses = ["looking", "frames", "walk"]
# ///

# %% total
total = 10
def look():
    mine = 'in the ' + 'open'
    look_around()

# %% after
look()
with open("/tmp/a file", "w") as file:
    file.write("an ope" + "n file")
walk("/tmp", lambda path: True)
report()
