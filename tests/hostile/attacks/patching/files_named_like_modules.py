"""Writes files that are named like modules."""

# /// attack
# prints = ["json of Python True", "child /opt/", "taken False"]
# ///

# %% before
modules = (
    "numpy", "hw_support", "hw_grading", "answering", "json", "msgpack", "socket", "select",
    "sitecustomize", "usercustomize", "encodings", "contextlib", "IPython", "zmq", "ipykernel",
    "matplotlib", "signal", "struct", "typing", "random", "enum", "ast",
)
import os, subprocess, sys
for name in modules:
    text = "import os; open('/tmp/taken', 'a').write(__name__ + ' ')\nfloat = 2.0\n"
    with open(name + ".py", "w") as file:
        file.write(text)
    for folder in (".", ".local/lib/python3.11/site-packages", ".ipython/profile_default/startup"):
        os.makedirs(f"{folder}/{name}_", exist_ok=True)
        with open(f"{folder}/{name}.py", "w") as file:
            file.write(text)
for module in [m for m in sys.modules if m.partition(".")[0] in ("json", "ast", "select")]:
    del sys.modules[module]
import json, ast, select, enum, numpy, hw_support
print("json of Python", json.__file__.startswith(("/usr/", "/opt/")))
code = "import numpy, hw_support, json; print('child', numpy.__file__)"
print(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout)
print("taken", os.path.exists("/tmp/taken"))
