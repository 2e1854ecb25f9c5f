"""Uses rare parts of the system.

No homework needs them, and most faults of the Linux kernel are found there.
"""

# /// attack
# uses = ["tries"]
# machine = "x86_64"
# problems = []
# works = []
# refused = ["bpf", "perf_all", "perf_first", "userfaultfd"]
# ///

# %% before
instructions = struct.pack("QQ", 0xB7, 0x95)  # r0 = 0; return
code = ctypes.create_string_buffer(instructions)
program = struct.pack("IIQQIIQ", 1, 2, ctypes.addressof(code), 0, 0, 0, 0) + bytes(80)
call("bpf", 321, 5, program, len(program))
attributes = struct.pack("II", 1, 128) + bytes(120)
call("perf_all", 298, attributes, -1, 0, -1, 0)
call("perf_first", 298, attributes, 1, -1, -1, 0)
call("userfaultfd", 323, 0)
