"""Patches what tests would use if they ran in the student's kernel.

Tests run in another process, with their own Python, NumPy and `hw_support`. On stock nbgrader most
of these patches get points.
"""

# /// attack
# limits = {cpu_seconds_per_cell = 3.0, wall_seconds_per_cell = 4.0, iopub_timeout = 1}
# prints_unless_problems = ["armed"]
# ///

# %% before
import builtins, ctypes, gc, os, sys, threading, types
import numpy as np
import hw_support, hw_support.checks, hw_support.checks.compare
import answering.serve, answering.start, answering.wire as wire
say, shell = print, get_ipython()
def nothing(*a, **k):
    return None
VARIANT
say("armed", flush=True)

# %% variant names that tests use
class Checks:
    part = table = grade_with = __init__ = nothing
    score = lambda self: 2.0
checks, assert_close, x = Checks(), nothing, Checks

# %% variant the comparison of numbers, in memory
class Equal:
    def __eq__(self, other):
        return True
    __lt__ = __le__ = __eq__
    __hash__ = None
# tp_richcompare stands 25 words into a type.
where = 25 * ctypes.sizeof(ctypes.c_void_p)
taken = ctypes.c_void_p.from_address(id(Equal) + where)
for kind in (float, int):
    ctypes.c_void_p.from_address(id(kind) + where).value = taken.value

# %% variant the streams
import io
class Stream(io.TextIOBase):
    def write(self, text):
        raise SystemExit("no")
say("armed", flush=True)
sys.stdout = sys.stderr = sys.__stdout__ = sys.__stderr__ = Stream()
for number in (0, 1, 2):
    os.close(number)
