"""Looks for secrets in the settings of libraries."""

# /// attack
# uses = ["looking"]
# limits = {cpu_seconds_per_cell = 30.0, wall_seconds_per_cell = 60.0}
# looks_for = ["SECRETS"]
# numbers = {"looked at" = [10, inf]}
# ///

# %% before
import contextlib, io, sysconfig
import IPython.paths, jupyter_core.paths, matplotlib as mpl, matplotlib.font_manager
fonts = mpl.font_manager.fontManager.ttflist
for thing in (
    np.__config__.CONFIG, mpl.rcParams, mpl.get_cachedir(), mpl.get_configdir(),
    mpl.matplotlib_fname(), [font.fname for font in fonts],
    IPython.paths.get_ipython_dir(), jupyter_core.paths.jupyter_path(),
    jupyter_core.paths.jupyter_config_path(), jupyter_core.paths.jupyter_runtime_dir(),
    get_ipython().config, get_ipython().profile_dir.location, IPython.sys_info(),
):
    search("setting", thing)
report()
