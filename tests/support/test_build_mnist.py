import gzip
import hashlib
import struct

import numpy as np
import pytest

from tools import build_mnist
from tools.build_mnist import pack_npz, read_mnist, threes_and_nines
from tools.idx import IdxSpec

DIGITS = {"train": [3, 1, 9, 9, 0, 3], "test": [9, 5, 3]}
STEMS = {"train": "train", "test": "t10k"}


def idx_bytes(array, *, shape=None):
    """An IDX file, written here independently of the reader; the shape can be false."""
    shape = array.shape if shape is None else shape
    magic = 0x0800 + array.ndim
    return struct.pack(f">{1 + len(shape)}I", magic, *shape) + array.tobytes()


@pytest.fixture
def arrays():
    made = {}
    for part, digits in DIGITS.items():
        n = len(digits)
        made[f"X_{part}"] = (np.arange(n * 784) % 251).astype(np.uint8).reshape(n, 28, 28)
        made[f"y_{part}"] = np.array(digits, np.uint8)
    return made


@pytest.fixture
def specs(arrays):
    made = {}
    for name, array in arrays.items():
        kind = "images" if name.startswith("X") else "labels"
        digest = hashlib.md5(idx_bytes(array)).hexdigest()
        made[name] = IdxSpec(f"{STEMS[name[2:]]}-{kind}", array.shape, digest)
    return made


@pytest.fixture
def folder(tmp_path, arrays, specs):
    path = tmp_path / "idx"
    path.mkdir()
    for name, array in arrays.items():
        (path / specs[name].names[0]).write_bytes(idx_bytes(array))
    return path


@pytest.fixture
def labels(folder, specs):
    """One of the four files, for tests that damage it."""
    return folder / specs["y_train"].names[0]


@pytest.mark.parametrize("spelling", range(4))
def test_dot_spelling_and_gzip_are_accepted(tmp_path, specs, arrays, spelling):
    for name, array in arrays.items():
        path = tmp_path / specs[name].names[spelling]
        content = idx_bytes(array)
        path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)
    np.testing.assert_array_equal(read_mnist(tmp_path, specs)["X_test"], arrays["X_test"])


def test_only_threes_and_nines_are_kept_in_their_order(arrays):
    subset = threes_and_nines(arrays)
    assert subset["y_train"].tolist() == [0, 1, 1, 0]
    assert subset["y_test"].tolist() == [1, 0]
    np.testing.assert_array_equal(subset["X_train"], arrays["X_train"][[0, 2, 3, 5]])


def unpacks_badly(path, array):
    path.with_name(path.name + ".gz").write_bytes(gzip.compress(path.read_bytes())[:-9])
    path.unlink()


DAMAGES = {
    "labels-idx1-ubyte: missing": lambda path, array: path.unlink(),
    "gz: damaged gzip": unpacks_badly,
    "add .gz to its name": lambda path, array: path.write_bytes(gzip.compress(path.read_bytes())),
    "too long: expected 14 bytes": lambda path, array: path.write_bytes(path.read_bytes() + b"x"),
    "wrong count: expected 6 values, header says 7": lambda path, array: path.write_bytes(
        idx_bytes(array, shape=(7,))
    ),
    "MD5 mismatch: expected": lambda path, array: path.write_bytes(idx_bytes(array[::-1].copy())),
}


@pytest.mark.parametrize(("said", "damage"), DAMAGES.items(), ids=DAMAGES)
def test_a_wrong_file_is_named_and_the_old_output_stays(
    said, damage, folder, specs, labels, arrays, tmp_path, capsys
):
    out = tmp_path / "out.npz"
    out.write_bytes(b"old")
    damage(labels, arrays["y_train"])
    assert run(folder, out, specs) == 2
    assert said in capsys.readouterr().err
    assert out.read_bytes() == b"old"


@pytest.mark.slow
def test_the_shipped_file_is_what_packing_its_arrays_gives():
    with np.load(build_mnist.MNIST_FILE.path, allow_pickle=False) as shipped:
        built = pack_npz({name: shipped[name] for name in shipped.files})
    same, message = build_mnist.compare(built, build_mnist.MNIST_FILE.path)
    assert same, message


def run(folder, out, specs, *options):
    return build_mnist.main([str(folder), "--out", str(out), *options], specs)


def test_the_command_writes_a_file_and_check_sees_another(folder, specs, tmp_path, capsys):
    out = tmp_path / "out.npz"
    assert run(folder, out, specs) == 0
    assert hashlib.sha256(out.read_bytes()).hexdigest() in capsys.readouterr().out
    assert run(folder, out, specs, "--check") == 0
    assert "same bytes" in capsys.readouterr().out
    with np.load(out) as old:
        arrays = {name: old[name].copy() for name in old.files}
    arrays["X_test"][1, 2, 3] += 1
    np.savez(out, **arrays)
    before = out.read_bytes()
    assert run(folder, out, specs, "--check") == 1
    assert str(out) in capsys.readouterr().err
    assert out.read_bytes() == before
