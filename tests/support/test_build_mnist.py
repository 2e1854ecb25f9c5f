import gzip
import hashlib
import struct

import numpy as np
import pytest

from tools import build_mnist
from tools.build_mnist import IdxFile

DIGITS = {"train": [3, 1, 9, 9, 0, 3], "test": [9, 5, 3]}
STEMS = {"train": "train", "test": "t10k"}


def idx_bytes(array):
    """An IDX file, written here independently of the reader."""
    magic = 0x0800 + array.ndim
    return struct.pack(f">{1 + array.ndim}I", magic, *array.shape) + array.tobytes()


@pytest.fixture
def arrays():
    made = {}
    for part, digits in DIGITS.items():
        n = len(digits)
        made[f"X_{part}"] = (np.arange(n * 784) % 251).astype(np.uint8).reshape(n, 28, 28)
        made[f"y_{part}"] = np.array(digits, np.uint8)
    return made


@pytest.fixture
def mnist(tmp_path, arrays):
    """What the files must be; the images are gzipped."""
    files = {}
    for name, array in arrays.items():
        is_image = name.startswith("X")
        content = idx_bytes(array)
        stem = f"{STEMS[name[2:]]}-{'images' if is_image else 'labels'}"
        path = tmp_path / (f"{stem}.idx3-ubyte.gz" if is_image else f"{stem}-idx1-ubyte")
        path.write_bytes(gzip.compress(content) if is_image else content)
        files[name] = IdxFile(stem, array.shape, hashlib.md5(content).hexdigest())
    return files


def test_the_command_writes_a_file_from_the_right_ones_alone(mnist, arrays, tmp_path, capsys):
    out = tmp_path / "out.npz"
    command = [str(tmp_path), "--out", str(out)]
    assert build_mnist.main(command, mnist) == 0
    assert hashlib.sha256(out.read_bytes()).hexdigest() in capsys.readouterr().out
    subset = dict(np.load(out))
    assert (subset["y_train"].tolist(), subset["y_test"].tolist()) == ([0, 1, 1, 0], [1, 0])
    np.testing.assert_array_equal(subset["X_train"], arrays["X_train"][[0, 2, 3, 5]])
    assert build_mnist.main([*command, "--check"], mnist) == 0
    subset["X_test"][1, 2, 3] += 1
    np.savez(out, **subset)
    before = out.read_bytes()
    assert build_mnist.main([*command, "--check"], mnist) == 1
    (tmp_path / "train-labels-idx1-ubyte").write_bytes(b"x")
    with pytest.raises(SystemExit, match="expected the MD5"):
        build_mnist.main(command, mnist)
    assert out.read_bytes() == before
