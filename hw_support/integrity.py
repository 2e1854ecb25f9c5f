"""Read a file that ships with the package, after its digest has been checked.

A half-copied or swapped data file would show up much later, as an odd loss, or, in a pickle, as
code that runs. So the bytes are compared with a known SHA-256 before anything interprets them.
"""

import hashlib
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class ShippedFile:
    """The known facts about one file of the package."""

    path: Path
    sha256: str  # 64 lower-case hexadecimal digits
    size: int  # bytes
    rebuild: str  # the command by which staff make the file again, from the repository's root


SHIPPED: list[ShippedFile] = []  # every file that `shipped_file` declared


def shipped_file(*, path: Path, sha256: str, size: int, rebuild: str) -> ShippedFile:
    """Declare a file that is part of the package, so that `doctor` checks it too."""
    file = ShippedFile(path, sha256, size, rebuild)
    SHIPPED.append(file)
    return file


class DataFileError(RuntimeError):
    """A file of the package is missing, damaged, or another file under its name."""

    def __init__(
        self, shipped: ShippedFile, problem: str, size: int = 0, sha256: str | None = None
    ) -> None:
        self.path, self.expected_sha256, self.found_sha256 = shipped.path, shipped.sha256, sha256
        found = "nothing" if sha256 is None else f"{size:,} bytes, SHA-256 {sha256}"
        super().__init__(
            f"{shipped.path.name}: {problem}\n"
            f"  file:     {shipped.path}\n"
            f"  expected: {shipped.size:,} bytes, SHA-256 {shipped.sha256}\n"
            f"  found:    {found}\n"
            "  Students: reinstall hw_support from the zip that the course gave you, then"
            " restart the kernel.\n"
            f"  Staff: rebuild the file from the repository's root with `{shipped.rebuild}`."
        )


def read_verified(shipped: ShippedFile) -> bytes:
    """Return the bytes of a shipped file, or raise `DataFileError` if they are not the right ones.

    Memory stays bounded for any file at the path. At most one byte more than the expected size is
    kept. A longer file is only streamed through the digest, for the message.
    """
    path = shipped.path
    if not path.exists():
        raise DataFileError(shipped, "the file is missing.")
    if not path.is_file():
        raise DataFileError(shipped, "this is not a regular file.")
    try:
        with path.open("rb") as stream:
            data = stream.read(shipped.size + 1)
            if len(data) == shipped.size and hashlib.sha256(data).hexdigest() == shipped.sha256:
                return data
            stream.seek(0)
            found_sha256 = hashlib.file_digest(stream, "sha256").hexdigest()
            found_size = stream.tell()
    except OSError as error:
        reason = error.strerror or str(error)
        raise DataFileError(shipped, f"the file cannot be read ({reason}).") from error

    if found_size < shipped.size:
        problem = "the file is too short. It is cut off, or it is another file."
    elif found_size > shipped.size:
        problem = "the file is too long. Data was added to it, or it is another file."
    else:
        problem = "the file has the right size but different content."
    raise DataFileError(shipped, problem, found_size, found_sha256)
