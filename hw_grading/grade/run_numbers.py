"""Numbers the runs of each submission, so that student code never meets the same inputs twice.

The numbers are in a file beside the course's secret, from which inputs are drawn. So they outlive
the cache of results and the gradebook, and a new secret, which draws other inputs, needs none.
"""

import fcntl
import hashlib
import secrets
from collections import Counter
from pathlib import Path


class RunNumbers:
    """The numbers of the runs of all submissions of a course; `secret` is the secret's file.

    The file has a line for each run that has begun: a digest of the submission's seed. Several
    programs may write to it.
    """

    def __init__(self, secret: Path) -> None:
        self.file = file_of(secret)
        self._runs: Counter[bytes] = Counter()
        self._read = 0  # bytes of the file

    def next(self, seed: int) -> int:
        """Return the number of the run that begins now, from 1 on, and note that it has begun.

        `seed` is that of the submission. If the file cannot be read or written, the number is
        random, so that it is another one all the same.
        """
        line = hashlib.sha256(seed.to_bytes(16, "big")).hexdigest()[:32].encode()
        try:
            with self.file.open("a+b", buffering=0) as file:
                fcntl.flock(file, fcntl.LOCK_EX)
                file.seek(self._read)
                more = file.readall()
                self._read += len(more)
                self._runs.update(more.split())
                written = file.write(b"\n" + line)  # a line that a full disk cut off ends here
        except OSError:
            written = 0
        return self._runs[line] + 1 if written > len(line) else secrets.randbits(64)


def file_of(secret: Path) -> Path:
    """Return the file with the numbers of runs that belongs to the file of a secret."""
    return secret.with_name(f"{secret.name}.runs")
