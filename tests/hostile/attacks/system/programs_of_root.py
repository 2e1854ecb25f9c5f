"""Starts programs that would run as root."""

# /// attack
# problems = []
# prints = ["found; uid=1000", "ids (1000, 1000, 1000) (1000, 1000, 1000)"]
# never_prints = ["status 0", "root'"]
# ///

# %% before
import glob, os, shutil, subprocess
found = [p for p in glob.glob("/usr/*bin/*") + glob.glob("/usr/lib/*/*")
         if os.path.isfile(p) and os.stat(p).st_mode & 0o6000]
for command in ("su -c id", "su - root -c id", "sudo -n id", "pkexec id", "newgrp root",
                "mount -t tmpfs none /tmp", "umount /tmp", "passwd -d root", "chsh -s /bin/sh"):
    done = subprocess.run("timeout 1 " + command, shell=True, capture_output=True, text=True,
                          stdin=subprocess.DEVNULL)
    print("status", done.returncode, "root" if "uid=0" in done.stdout else "nobody special")
shutil.copy(shutil.which("id"), "/tmp/id")
os.chmod("/tmp/id", 0o6755)
print(len(found), "found;", subprocess.run("/tmp/id", capture_output=True, text=True).stdout)
print("ids", os.getresuid(), os.getresgid(), os.getgroups())
