"""Changes the machine's clock, its name and its power."""

# /// attack
# checked_in = "test_system.py"
# uses = ["tries"]
# problems = []
# ///

# %% before
open("/tmp/image", "wb").write(bytes(4096))
call("settimeofday", 164, struct.pack("2q", 10**9, 0), None)
call("clock_settime", 227, 0, struct.pack("2q", 10**9, 0))
call("adjtimex", 159, struct.pack("I4x50q", 1, *range(50)))
call("sethostname", 170, b"mine", 4)
call("setdomainname", 171, b"mine", 4)
call("reboot", 169, 0xFEE1DEAD, 672274793, 0x01234567, 0)
call("no_ctrl_alt_del", 169, 0xFEE1DEAD, 672274793, 0, 0)
call("kexec_load", 246, 0, 0, 0, 0)
call("kexec_file_load", 320, 0, 0, 0, 0, 0)
call("init_module", 175, buffer, 4096, b"")
call("delete_module", 176, b"ext4", 0)
call("swapon", 167, b"/tmp/image", 0)
call("swapoff", 168, b"/tmp/image")
call("acct", 163, b"/tmp/image")
call("syslog_read", 103, 3, buffer, 4096)
call("syslog_off", 103, 6, None, 0)
call("quotactl", 179, 0x80000100, b"/dev/vda", 0, buffer)
call("vhangup", 153)
call("iopl", 172, 3)
call("ioperm", 173, 0x70, 2, 1)
call("open_by_handle", 304, -100, struct.pack("Ii128s", 8, 1, bytes(128)), 0)
call("fanotify", 300, 0, 0)
call("fanotify_class", 300, 4, 0)
