"""Looks for secrets in the connection file and its folder."""

# /// attack
# uses = ["looking"]
# looks_for = ["SECRETS", "TEMPORARY"]
# numbers = {"looked at" = [5, inf]}
# ///

# %% before
import glob
for path in glob.glob("/run/kernel/*") + [get_ipython().kernel.config.IPKernelApp.connection_file]:
    search("name", path)
    try:
        search(path, open(path).read())
    except OSError:
        pass
for thing in (sys.argv, sys.orig_argv, get_ipython().config, vars(get_ipython().kernel.session)):
    search("configuration", thing)
report()
