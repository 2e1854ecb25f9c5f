"""Replace a file in one step."""

import os
from pathlib import Path


def write_atomically(path: Path, data: bytes) -> None:
    """Write bytes beside a file, then rename: a reader sees the old file or the new one.

    Parameters
    ----------
    path : Path
        File to write or to replace; its folder must exist.
    data : bytes
        The new contents.

    Raises
    ------
    OSError
        When writing fails; the old file is then as it was, and nothing is left beside it.
    """
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        part.write_bytes(data)
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)
