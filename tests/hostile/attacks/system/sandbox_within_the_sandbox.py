"""Makes a sandbox within the sandbox."""

# /// attack
# problems = []
# prints = ["ended with"]
# never_prints = ["ended with 0", "uid=True"]
# ///

# %% before
import subprocess, shutil
for program in (["bwrap", "--unshare-all", "--ro-bind", "/", "/", "--proc", "/proc", "id"],
                ["bwrap", "--dev-bind", "/", "/", "id"],
                ["unshare", "-Ur", "id"],
                ["nsenter", "-t", "1", "-a", "id"],
                ["chroot", "/tmp", "id"]):
    if shutil.which(program[0]):
        done = subprocess.run(program, capture_output=True, text=True)
        print(f"ended with {done.returncode}: uid={'uid' in done.stdout}")
