"""Looks for secrets in all files outside of libraries.

On stock nbgrader these include the source notebook, the gradebook and all other submissions.
"""

# /// attack
# uses = ["looking", "walk"]
# limits = {cpu_seconds_per_cell = 30.0, wall_seconds_per_cell = 60.0}
# looks_for = ["SECRETS", "HIDDEN"]
# numbers = {"looked at" = [50, inf]}
# ///

# %% before
large = ("/usr", "/lib", "/lib32", "/lib64", "/bin", "/sbin", "/opt/python", "/opt/env")
for name in sorted(os.listdir("/")):
    top = "/" + name
    if top == "/opt":
        for inner in os.listdir(top):
            if f"/opt/{inner}" not in large:
                walk(f"/opt/{inner}", lambda path: True)
    elif top not in large:
        walk(top, lambda path: True)
report()
