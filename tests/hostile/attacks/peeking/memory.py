"""Looks for hidden tests and for secrets in the memory of the process.

It reads all pages near known objects, also freed ones, so it would find a test's text that was
there earlier. A system call reads them, which fails for pages that do not exist.
"""

# /// attack
# uses = ["looking"]
# limits = {cpu_seconds_per_cell = 60.0, wall_seconds_per_cell = 120.0}
# looks_for = ["HIDDEN", "CANARY", "COURSE", "SEED"]
# scores = {test_total = 1.0}
# numbers = {"looked at" = [5000, inf]}
# prints = ["planted True"]
# ///

# %% before
planted = "-".join(["this", "is", "there"]).encode()
libc = ctypes.CDLL(None)
libc.write.argtypes = [ctypes.c_int, ctypes.c_void_p, ctypes.c_size_t]
pages, seen = [0], []
# In one place, and emptied each time: a copy that is turned round would be found later.
page_of_mine, empty = bytearray(4096), bytes(4096)
def scan(centre, around=48 << 20):
    read, write = os.pipe()
    first = max(centre - around, 4096) & ~4095
    for page in range(first, first + 2 * around, 4096):
        if libc.write(write, page, 4096) == 4096:
            pages[0] += 1
            os.readv(read, [page_of_mine])
            page_of_mine.reverse()
            if b"ereht-si-siht" in page_of_mine:
                seen.append(page)
            for needle in backwards:
                if needle.encode() in page_of_mine:
                    found.append(("page", needle))
            page_of_mine[:] = empty
    os.close(read), os.close(write)

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
