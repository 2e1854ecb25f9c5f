"""Traces functions of the grader's, and changes their arguments."""

# /// attack
# prints = ["seen"]
# ///

# %% before
import sys
seen = []
def trace(frame, event, argument):
    name = frame.f_code.co_name
    if name in ("assert_close", "record", "score", "_call", "_answer", "call", "examine"):
        seen.append(name)
        if name == "record" and event == "call":
            frame.f_locals["message"] = ""
    if name in ("record", "_call"):
        frame.f_trace_lines = True
        return trace
    return None
sys.settrace(trace)
import threading
threading.settrace(trace)

# %% after
sys.settrace(None); print('seen', sorted(set(seen)))
