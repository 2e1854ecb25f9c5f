# `scan(centre)` searches the pages of memory around an address, also freed ones.
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
