"""Leaves a trace in a test, in every way, for the student's code that runs later."""

# /// attack
# prints = ["looked"]
# never_prints = ["arrived"]
# problems = []
# ///

# %% before
import os, select, signal, socket, threading, time
import numpy as np
kernel = os.getpid()
def open_memory(path):
    "Return memory that a file shares, or a list of one's own if that is refused."
    import mmap
    try:
        with open(path, "w+b") as file:
            file.write(bytes(4096))
            file.flush()
            return mmap.mmap(file.fileno(), 4096)
    except PermissionError:
        return [0]
VARIANT

# %% double
def double(x):
    try:
        leave()
    except (OSError, ValueError):
        pass
    return 0 * x

# %% mean
def mean(x):
    double(1)  # also in a second try, if it is this one
    try:
        leave()
    except (OSError, ValueError):
        pass
    return np.zeros(2)

# %% after
time.sleep(0.3)  # for what goes on
print("arri" + "ved" if found() else "looked")

# %% variant a name
def leave():
    global left
    left = 1
def found():
    return "left" in globals()

# %% variant a default argument
def leave(kept=[]):
    kept.append(1)
def found():
    return leave.__defaults__[0]

# %% variant an attribute of a class
class Box:
    kept = 0
def leave():
    Box.kept = 1
def found():
    return Box.kept

# %% variant an array
kept = np.zeros(3)
def leave():
    kept[0] = 1
def found():
    return kept.any()

# %% variant a generator's state
rng = np.random.RandomState(0)
def leave():
    rng.random()
def found():
    return rng.random() != np.random.RandomState(0).random()

# %% variant files in all folders
folders = ".", "/tmp", "/dev/shm", os.environ["HOME"]
def leave():
    for folder in folders:
        try:
            open(f"{folder}/left", "w").close()
        except OSError:
            pass
        try:
            os.mkdir(f"{folder}/left.d")
        except OSError:
            pass
def found():
    return any("left" in name for folder in folders for name in os.listdir(folder))

# %% variant a file that is open
file = open("/tmp/open", "w+")
def leave():
    os.write(file.fileno(), b"x")
def found():
    return os.path.getsize("/tmp/open")

# %% variant the name, rights and time of a file
open("/tmp/there", "w").close()
os.chmod("/tmp/there", 0o600)
os.utime("/tmp/there", (1, 1))
def leave():
    for change in (lambda p: os.chmod(p, 0o644), lambda p: os.utime(p, (2, 2)), os.remove):
        try:
            change("/tmp/there")
        except OSError:
            pass
def found():
    there = os.stat("/tmp/there") if os.path.exists("/tmp/there") else None
    return not there or there.st_mtime != 1 or there.st_mode & 0o777 != 0o600

# %% variant a socket with a name
listening = socket.socket(socket.AF_UNIX)
listening.bind("\0here")
listening.listen()
def leave():
    with socket.socket(socket.AF_UNIX) as caller:
        caller.connect("\0here")
def found():
    return select.select([listening], [], [], 0)[0]

# %% variant a socket with a path
listening = socket.socket(socket.AF_UNIX)
listening.bind("/tmp/here")
listening.listen()
def leave():
    with socket.socket(socket.AF_UNIX) as caller:
        caller.connect("/tmp/here")
def found():
    return select.select([listening], [], [], 0)[0]

# %% variant a pipe that is open
reading, writing = os.pipe()
def leave():
    os.write(writing, b"x")
def found():
    return select.select([reading], [], [], 0)[0]

# %% variant memory that a file shares
memory = open_memory("/tmp/memory")
def leave():
    memory[0] = 1
def found():
    return memory[0]

# %% variant memory with a name
from multiprocessing import shared_memory
try:
    memory = shared_memory.SharedMemory("left", True, 100).buf
except PermissionError:
    memory = [0]
def leave():
    memory[0] = 1
def found():
    return memory[0]

# %% variant a thread that goes on
kept = []
def leave():
    threading.Thread(target=lambda: time.sleep(0.2) or kept.append(1), daemon=True).start()
def found():
    return kept

# %% variant a process that goes on
def leave():
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            time.sleep(0.1)
            os.kill(kernel, signal.SIGUSR1)
        os._exit(0)
came = []
signal.signal(signal.SIGUSR1, lambda *_: came.append(1))
def found():
    return came

# %% variant a signal
came = []
signal.signal(signal.SIGUSR1, lambda *_: came.append(1))
def leave():
    os.kill(kernel, signal.SIGUSR1)
def found():
    return came

# %% variant a limit of the kernel
import resource
most = resource.getrlimit(resource.RLIMIT_NOFILE)
def leave():
    resource.prlimit(kernel, resource.RLIMIT_NOFILE, (most[0] - 1, most[1]))
def found():
    return resource.getrlimit(resource.RLIMIT_NOFILE) != most

# %% variant the kernel's priority
def leave():
    os.setpriority(os.PRIO_PROCESS, kernel, 19)
def found():
    return os.getpriority(os.PRIO_PROCESS, kernel) == 19

# %% variant the memory of the kernel
import ctypes
kept = np.zeros(1)
libc = ctypes.CDLL(None)
class Piece(ctypes.Structure):
    _fields_ = [("start", ctypes.c_void_p), ("size", ctypes.c_size_t)]
def leave():
    one = np.ones(1)
    pieces = [Piece(array.ctypes.data, 8) for array in (one, kept)]
    libc.process_vm_writev(kernel, ctypes.byref(pieces[0]), 1, ctypes.byref(pieces[1]), 1, 0)
def found():
    return kept[0]
