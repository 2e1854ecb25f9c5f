"""Looks in all loaded code for its folder on the machine."""

# /// attack
# uses = ["looking", "walk"]
# limits = {cpu_seconds_per_cell = 30.0, wall_seconds_per_cell = 60.0}
# looks_for = ["PACKAGE", "REPOSITORY/", "ENVIRONMENT"]
# numbers = {"looked at" = [1000, inf]}
# ///

# %% before
walk("/opt/homework", lambda path: True)
import hw_support, answering, numpy, matplotlib, IPython
for thing in gc.get_objects():
    if isinstance(thing, types.FunctionType):
        search("code", thing.__code__.co_filename)
for name, module in list(sys.modules.items()):
    for attribute in ("__file__", "__cached__", "__path__", "__spec__"):
        search(name, getattr(module, attribute, ""))
report()
