"""Mounts, unmounts and changes the root."""

# /// attack
# uses = ["tries"]
# machine = "x86_64"
# problems = []
# works = []
# refused = 16
# prints = ["at the root True []"]
# ///

# %% before
os.makedirs("/tmp/a/b")
call("mount_tmpfs", 165, b"none", b"/tmp/a", b"tmpfs", 0, None)
call("mount_proc", 165, b"proc", b"/tmp/a", b"proc", 0, None)
call("mount_bind", 165, b"/usr", b"/tmp/a", None, 4096, None)
call("remount", 165, None, b"/usr", None, 32 | 4096, None)
call("remount_root", 165, None, b"/", None, 32, None)
call("propagate", 165, None, b"/", None, 1 << 20, None)
call("umount", 166, b"/tmp", 2)
call("umount_root", 166, b"/", 2)
call("umount_kernel", 166, b"/run/kernel", 2)
call("pivot_root", 155, b"/tmp/a", b"/tmp/a/b")
call("chroot", 161, b"/tmp/a")
call("fsopen", 430, b"tmpfs", 0)
call("open_tree", 428, -100, b"/", 1)
call("fspick", 433, -100, b"/", 0)
call("move_mount", 429, -100, b"/usr", -100, b"/tmp/a", 0)
call("mount_setattr", 442, -100, b"/usr", 0, buffer, 32)
for _ in range(100):
    os.chdir("..")
print("at the root", sorted(os.listdir(".")) == sorted(os.listdir("/")), os.listdir("/proc"))
