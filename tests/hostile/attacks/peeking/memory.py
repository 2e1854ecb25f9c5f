"""Looks for hidden tests and for secrets in the memory of the process.

It reads all pages near known objects, also freed ones, so it would find a test's text that was
there earlier. A system call reads them, which fails for pages that do not exist.
"""

# /// attack
# uses = ["looking", "pages"]
# limits = {cpu_seconds_per_cell = 60.0, wall_seconds_per_cell = 120.0}
# looks_for = ["HIDDEN", "CANARY", "COURSE", "SEED"]
# scores = {test_total = 1.0}
# numbers = {"looked at" = [5000, inf]}
# prints = ["planted True"]
# ///

# %% total
total = 10

# %% after
keep = bytearray(100), bytes(1 << 20), ctypes.create_string_buffer(100)
centres = {
    id(planted), id(keep), id(keep[1]), id(sys.modules), ctypes.addressof(keep[2]),
    np.zeros(10).ctypes.data, np.zeros(1 << 20).ctypes.data,
    ctypes.c_void_p.in_dll(libc, "environ").value,
}
for centre in centres:
    scan(centre)
looked[0] = pages[0]
report()
print("planted", len(seen) > 0)
