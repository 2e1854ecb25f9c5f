"""Looks for what lies in the open, and finds it: so the other searches are searches."""

# /// attack
# checked_in = "test_peeking.py"
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
