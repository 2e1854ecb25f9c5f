"""Looks for secrets in the environment, in programs' output, all loaded code, and files.

Files of libraries are left out. On stock nbgrader the others include the source notebook, the
gradebook and all other submissions.
"""

# /// attack
# uses = ["looking", "walk"]
# limits = {cpu_seconds_per_cell = 30.0, wall_seconds_per_cell = 60.0}
# looks_for = ["SECRETS", "HIDDEN", "TEMPORARY", "PACKAGE", "REPOSITORY/", "ENVIRONMENT"]
# numbers = {"looked at" = [1000, inf], names = [50, inf]}
# prints = ["proc False host sandbox"]
# ///

# %% before
import getpass, platform, site, subprocess, sysconfig, tempfile
import IPython, jupyter_core.paths, matplotlib as mpl, matplotlib.font_manager
import hw_support, answering
kernel = get_ipython().kernel
libc = ctypes.CDLL(None)
libc.getauxval.restype = ctypes.c_char_p
for number in (15, 24, 31):  # the processor's name, of its base, the program's path
    search("auxiliary", libc.getauxval(number))
title = ctypes.create_string_buffer(16)
libc.prctl(16, title)
for thing in (
    *os.environ.items(), sys.argv, sys.orig_argv, sys.path, sys.executable, sys.prefix, os.getcwd(),
    sys.base_prefix, sys.flags, sys.modules.keys(), title.value, os.uname(), platform.platform(),
    platform.node(), socket.gethostname(), socket.getfqdn(), site.getsitepackages(),
    site.getusersitepackages(), sysconfig.get_paths(), tempfile.gettempdir(), os.getgroups(),
    os.getuid(), os.path.expanduser("~"), os.path.expanduser("~root"), os.confstr_names,
    np.__config__.CONFIG, mpl.rcParams, mpl.get_cachedir(), mpl.matplotlib_fname(),
    [font.fname for font in mpl.font_manager.fontManager.ttflist],
    jupyter_core.paths.jupyter_path(), jupyter_core.paths.jupyter_runtime_dir(),
    get_ipython().config, IPython.sys_info(), vars(kernel.session),
    open(kernel.config.IPKernelApp.connection_file).read(),
):
    search("fact", thing)
for command in (["env"], ["id"], ["hostname"], ["mount"], ["ps", "auxww"], ["who"], ["w"],
                ["getent", "passwd"], ["df"], ["last"], ["lsns"], ["ip", "a"], ["dmesg"]):
    try:
        done = subprocess.run(command, capture_output=True, timeout=5)
        search(command[0], done.stdout + done.stderr)
    except (OSError, subprocess.TimeoutExpired):
        pass
large = ("/usr", "/lib", "/lib32", "/lib64", "/bin", "/sbin", "/opt/python", "/opt/env")
tops = [f"/{name}" for name in os.listdir("/") if name != "opt"]
for top in [*tops, *(f"/opt/{name}" for name in os.listdir("/opt"))]:
    if top not in large:
        walk(top, lambda path: True)
for thing in gc.get_objects():
    if isinstance(thing, types.FunctionType):
        search("code", thing.__code__.co_filename)
for name, module in list(sys.modules.items()):
    for attribute in ("__file__", "__cached__", "__path__", "__spec__"):
        search(name, getattr(module, attribute, ""))
report()
print("proc", os.path.exists("/proc/self"), "host", socket.gethostname(), "names", names[0])
