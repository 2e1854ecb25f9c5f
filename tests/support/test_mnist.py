from dataclasses import replace

import numpy as np
import pytest

from hw_support import DataFileError, get_mnist_threes_nines, shipped_data
from hw_support.homeworks.shipped_data import MNIST_FILE


@pytest.fixture(scope="module")
def data():
    return get_mnist_threes_nines()


def test_images_from_0_to_1_and_labels_are_in_the_order_of_mnist(data):
    (X_train, y_train), (X_test, y_test) = data
    for X, y in data:
        assert (X.dtype, X.min(), X.max()) == (np.float64, 0.0, 1.0)
        assert (y.dtype, y.shape) == (np.int64, (len(X),))
    assert y_train[:10].tolist() == [1, 0, 0, 0, 1, 1, 0, 0, 1, 1]
    assert y_test[:10].tolist() == [1, 1, 1, 1, 0, 1, 0, 0, 0, 0]
    sums = lambda X: np.rint(255 * X.sum(axis=(1, 2))).astype(int).tolist()  # noqa: E731
    assert sums(X_train[[0, 1, 2, -1]]) == [23_214, 35_867, 28_548, 27_285]
    assert sums(X_test[[0, 1, 2, -1]]) == [21_062, 31_350, 22_883, 34_416]


def test_every_call_after_a_preload_returns_new_arrays_too(data):
    shipped_data.preload()
    first, second = get_mnist_threes_nines(), get_mnist_threes_nines()
    first[0][0][:] = 0.5
    assert (second[0][0] == data[0][0]).all()
    assert not np.shares_memory(first[0][0], second[0][0])


def test_a_file_that_is_not_the_shipped_one_is_refused(tmp_path, monkeypatch):
    path = tmp_path / MNIST_FILE.path.name
    monkeypatch.setattr(shipped_data, "MNIST_FILE", replace(MNIST_FILE, path=path))
    with pytest.raises(DataFileError, match=r"No such file .* Unzip the file that the course gave"):
        get_mnist_threes_nines()
    content = bytearray(MNIST_FILE.path.read_bytes())
    content[1_000_000] ^= 1
    path.write_bytes(content)
    found = "is damaged: its 2,347,371 bytes are not those that were shipped. Unzip the file"
    with pytest.raises(DataFileError, match=found):
        get_mnist_threes_nines()
