"""Read one MNIST file in the IDX format, and say exactly what is wrong when it is wrong.

IDX: two zero bytes, a type byte (8 = unsigned byte), the number of dimensions, each
dimension as a big-endian 32-bit integer, then the values, last dimension fastest.

The file may come from anywhere, so no more than its known length (plus one byte) is read
or decompressed: a gzip bomb costs no memory.
"""

import gzip
import hashlib
import math
import struct
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

_UNSIGNED_BYTE = 0x08
_GZIP_MAGIC = b"\x1f\x8b"


class IdxFileError(ValueError):
    """An IDX file is missing or is not the one that was asked for."""


@dataclass(frozen=True)
class IdxSpec:
    """One IDX file as it must be.

    Attributes
    ----------
    stem : str
        First part of the file name, for example ``train-images``.
    shape : tuple of int
        Dimensions that the header must give; the number of items comes first.
    md5 : str
        MD5 of the unpacked file, 32 lower-case hexadecimal digits.
    """

    stem: str
    shape: tuple[int, ...]
    md5: str

    @property
    def magic(self) -> int:
        """The header's first four bytes as one big-endian integer."""
        return _UNSIGNED_BYTE << 8 | len(self.shape)

    @property
    def header_size(self) -> int:
        """Length of the header in bytes."""
        return 4 + 4 * len(self.shape)

    @property
    def size(self) -> int:
        """Length of the unpacked file in bytes."""
        return self.header_size + math.prod(self.shape)

    @property
    def names(self) -> tuple[str, ...]:
        """File names under which it is looked for, first choice first."""
        kind = f"idx{len(self.shape)}-ubyte"
        plain = (f"{self.stem}-{kind}", f"{self.stem}.{kind}")
        return plain + tuple(f"{name}.gz" for name in plain)


def read_idx(folder: Path, spec: IdxSpec) -> NDArray[np.uint8]:
    """Read and check one IDX file.

    Parameters
    ----------
    folder : Path
        Folder that holds the file under one of ``spec.names``.
    spec : IdxSpec
        What the file must be.

    Returns
    -------
    ndarray of uint8, shape ``spec.shape``

    Raises
    ------
    IdxFileError
        With the file's name and the first thing that is wrong: missing, unreadable, not
        gzip, damaged gzip, magic number, dimensions, length, MD5.
    """
    path = _find(folder, spec)
    try:
        content = _read_at_most(path, spec.size + 1)
    except OSError as error:
        raise IdxFileError(f"{path}: cannot be read ({error.strerror or error})") from error
    _check_header(path, content, spec)
    if len(content) < spec.size:
        raise IdxFileError(
            f"{path}: too short: expected {spec.size:,} bytes unpacked, found {len(content):,}"
        )
    if len(content) > spec.size:
        raise IdxFileError(f"{path}: too long: expected {spec.size:,} bytes unpacked, found more")
    md5 = hashlib.md5(content, usedforsecurity=False).hexdigest()
    if md5 != spec.md5:
        raise IdxFileError(f"{path}: MD5 mismatch: expected {spec.md5}, found {md5} (unpacked)")
    return np.frombuffer(content, np.uint8, offset=spec.header_size).reshape(spec.shape)


def _find(folder: Path, spec: IdxSpec) -> Path:
    for name in spec.names:
        if (folder / name).is_file():
            return folder / name
    raise IdxFileError(f"{folder / spec.names[0]}: missing (looked for {', '.join(spec.names)})")


def _read_at_most(path: Path, limit: int) -> bytes:
    with path.open("rb") as stream:
        if path.suffix != ".gz":
            return stream.read(limit)
        start = stream.read(len(_GZIP_MAGIC))
        if start != _GZIP_MAGIC:
            raise IdxFileError(
                f"{path}: not gzip: expected it to start with {_GZIP_MAGIC.hex(' ')},"
                f" found {start.hex(' ') or 'an empty file'}"
            )
        stream.seek(0)
        try:
            with gzip.GzipFile(fileobj=stream) as unpacked:
                return unpacked.read(limit)
        except (EOFError, gzip.BadGzipFile, zlib.error) as error:
            raise IdxFileError(f"{path}: damaged gzip: {error}") from error


def _check_header(path: Path, content: bytes, spec: IdxSpec) -> None:
    if len(content) < spec.header_size:
        raise IdxFileError(
            f"{path}: too short: expected {spec.size:,} bytes unpacked, found {len(content):,},"
            " not even a whole header"
        )
    magic, *shape = struct.unpack_from(f">{1 + len(spec.shape)}I", content)
    if magic != spec.magic:
        hint = " (gzip: add .gz to its name)" if content.startswith(_GZIP_MAGIC) else ""
        raise IdxFileError(
            f"{path}: wrong magic number: expected 0x{spec.magic:08x}, found 0x{magic:08x}{hint}"
        )
    if tuple(shape) != spec.shape:
        raise IdxFileError(
            f"{path}: wrong count: expected {_times(spec.shape)} values, header says"
            f" {_times(tuple(shape))}"
        )


def _times(shape: tuple[int, ...]) -> str:
    return " x ".join(f"{length:,}" for length in shape)
