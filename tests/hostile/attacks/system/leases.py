"""Asks for leases and notices of files that others open.

The system reads one half of a register; the other half must not matter.
"""

# /// attack
# checked_in = "test_system.py"
# uses = ["tries"]
# problems = []
# works = []
# refused = [
#     "inotify", "inotify1", "fanotify", "tells_what_others_open",
#     "keeps_others_from_opening", "signals_of_both", "locks_that_outlive_descriptors",
# ]
# ///

# %% before
asked = {
    "tells_what_others_open": (72, 1026, 1),  # fcntl, F_NOTIFY, DN_ACCESS
    "keeps_others_from_opening": (72, 1024, 0),  # F_SETLEASE, F_RDLCK
    "signals_of_both": (72, 10, 10),  # F_SETSIG
    "locks_that_outlive_descriptors": (72, 37, 0),  # F_OFD_SETLK
}
libc.syscall.argtypes = [ctypes.c_long] * 4
folder, file = os.open("/opt", os.O_RDONLY), os.open("/tmp/own", os.O_CREAT)
call("inotify", 253, 0, 0, 0)
call("inotify1", 294, 0, 0, 0)
call("fanotify", 300, 0, 0, 0)
for high in (0, 1 << 32, -1 << 32):
    for name, (number, command, argument) in asked.items():
        call(name, number, folder if command == 1026 else file, command | high, argument)
