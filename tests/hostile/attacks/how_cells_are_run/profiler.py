"""Rewrites the arguments of functions from a profiler."""

# /// attack
# prints = ["encode"]
# ///

# %% before
import ctypes, sys
seen = []
def profile(frame, event, argument):
    if event == "call" and frame.f_code.co_name in ("assert_close", "encode", "pack"):
        seen.append(frame.f_code.co_name)
        for name in ("actual", "message", "value"):
            if name in frame.f_locals and name == "actual":
                frame.f_locals[name] = frame.f_locals["expected"]
                locals_to_fast = ctypes.pythonapi.PyFrame_LocalsToFast
                locals_to_fast(ctypes.py_object(frame), ctypes.c_int(0))
sys.setprofile(profile)

# %% after
sys.setprofile(None); print('seen', sorted(set(seen)))
