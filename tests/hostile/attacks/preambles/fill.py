# `fill(folder)` fills a folder with files, and returns how many megabytes they have.
import os
def fill(folder):
    size = number = 0
    try:
        while True:
            with open(f"{folder}/{number}", "wb", buffering=0) as file:
                for _ in range(18):
                    size += file.write(b"x" * 2**20)
            number += 1
    except OSError as error:
        print(folder, error.strerror)
    return size >> 20
