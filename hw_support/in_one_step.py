"""Write a complete file, or leave the earlier one unchanged."""

import contextlib
import errno
import os
import secrets
from collections.abc import Iterator
from pathlib import Path


@contextlib.contextmanager
def in_one_step(path: Path) -> Iterator[Path]:
    """Yield a temporary path beside `path`; the file that a block writes there replaces `path`.

    An `OSError` names `path`, or its folder if that is missing: nobody knows the temporary file.
    """
    if not path.parent.is_dir():
        missing = "there is no such folder. Make it first, or choose another one"
        raise FileNotFoundError(errno.ENOENT, missing, str(path.parent))
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")
    try:
        yield temporary
        with temporary.open("rb+") as stream:
            os.fsync(stream.fileno())
        os.replace(temporary, path)
    except OSError as error:
        if error.filename == str(temporary):
            error.filename = str(path)
        raise
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
