"""Leaves processes without session and parent, which ignore signals."""

# /// attack
# prints = ["left behind"]
# problems = []
# ///

# %% before
import os, signal, subprocess, time
for ignored in (signal.SIGHUP, signal.SIGTERM, signal.SIGINT):
    signal.signal(ignored, signal.SIG_IGN)
for _ in range(3):
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            while True:
                time.sleep(0.1)
        os._exit(0)
subprocess.Popen(["sleep", "1000"], start_new_session=True)
subprocess.Popen("nohup sleep 1000 & disown", shell=True)
time.sleep(0.3)
print("left behind")
