"""Makes devices, and opens the existing ones."""

# /// attack
# checked_in = "test_writing.py"
# uses = ["tries"]
# problems = []
# works = []
# refused = ["mknod", "open"]
# ///

# %% before
for folder in ("/tmp", "/home/student", "/dev/shm", "/run/kernel", "/dev"):
    for kind, numbers in ((stat.S_IFCHR, [(1, 1), (1, 3), (1, 11), (10, 229), (10, 232), (5, 1)]),
                          (stat.S_IFBLK, [(254, 0), (8, 0), (7, 0)])):
        for major, minor in numbers:
            attempt("mknod", os.mknod, f"{folder}/new", kind | 0o666, os.makedev(major, minor))
for name in ("kmsg", "mem", "kmem", "port", "sda", "vda", "nvme0n1", "dm-0", "loop0",
             "loop-control", "fuse", "kvm", "vsock", "vhost-vsock", "net/tun", "console", "tty1",
             "input/event0", "dri/card0", "snapshot", "hpet", "uinput", "mapper/control",
             "userfaultfd"):
    attempt("open", os.open, "/dev/" + name, os.O_RDWR)
for where, _, names in os.walk("/dev"):
    for name in names:
        path = os.path.join(where, name)
        if not os.path.islink(path):
            print("there is", path)
