import hashlib
import json
import math
import pickle
import re
from dataclasses import replace

import numpy as np
import pytest

from hw_support import DataFileError, load_reference_batch, shipped_data
from hw_support.shipped_data import REFERENCE_BATCH_FILE
from tools import build_reference_batch


@pytest.fixture
def batch():
    return load_reference_batch()


def gradients_by_hand(batch):
    """Mean loss and per-example gradients of the 4-2-1 network, one number at a time."""
    X, y, (W1, W2), (b1, b2) = batch
    n, losses = len(X), []
    grad_W1, grad_b1 = np.zeros((n, 4, 2)), np.zeros((n, 1, 2))
    grad_W2, grad_b2 = np.zeros((n, 2, 1)), np.zeros((n, 1, 1))
    for e in range(n):
        s = [sum(X[e, i] * W1[i, j] for i in range(4)) + b1[0, j] for j in range(2)]
        h = [max(value, 0.0) for value in s]
        g = 1 / (1 + math.exp(-(sum(h[j] * W2[j, 0] for j in range(2)) + b2[0, 0])))
        losses.append(-math.log(g) if y[e] == 1 else -math.log(1 - g))
        d_logit = g - y[e]
        grad_b2[e, 0, 0] = d_logit
        for j in range(2):
            grad_W2[e, j, 0] = d_logit * h[j]
            d_s = d_logit * W2[j, 0] * (s[j] > 0)
            grad_b1[e, 0, j] = d_s
            for i in range(4):
                grad_W1[e, i, j] = d_s * X[e, i]
    return sum(losses) / n, [grad_W1, grad_W2], [grad_b1, grad_b2]


def printed(array):
    """The numbers as NumPy prints them with two digits; a zero loses its sign."""
    with np.printoptions(precision=2):
        words = re.findall(r"[-+.\de]+", str(array))
    return [re.sub(r"^-(0\.(?:0*e\+00)?)$", r"\1", word) for word in words]


def test_numbers_are_those_of_the_json_to_the_last_bit(batch):
    numbers = json.loads(build_reference_batch.NUMBERS_FILE.read_text(encoding="utf-8"))
    for name, value in batch._asdict().items():
        found = [a.tolist() for a in value] if isinstance(value, list) else value.tolist()
        assert found == numbers[name]


def test_the_mean_logistic_loss_is_the_published_one(batch):
    assert abs(gradients_by_hand(batch)[0] - 0.6985168038536878) <= 1e-15


def test_the_gradients_print_as_published(batch):
    _, (grad_W1, grad_W2), (grad_b1, grad_b2) = gradients_by_hand(batch)
    assert " ".join(printed(grad_W1)) == (
        "0.00e+00 1.06e-04 0.00e+00 3.52e-05 0.00e+00 4.25e-05 0.00e+00 1.87e-05 "
        "8.23e-04 -3.92e-05 -1.31e-04 6.25e-06 -2.48e-03 1.18e-04 4.52e-04 -2.15e-05"
    )
    assert printed(grad_W2) == ["0.", "0.", "0.", "-0.01"]
    assert printed(grad_b1) == ["0.", "0.", "0.", "0."]
    assert printed(grad_b2) == ["-0.5", "-0.5"]


def test_every_call_returns_fresh_arrays(batch):
    batch.X_batch[:] = 7
    batch.weight_matrices[0][:] = 7
    batch.biases.clear()
    again = load_reference_batch()
    assert again.X_batch[0, 0] == 0.67079
    assert again.weight_matrices[0][0, 0] == -0.014
    assert len(again.biases) == 2


class _LeavesAMark:
    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return open, (str(self.path), "w")


def test_a_malicious_pickle_is_refused_and_never_run(tmp_path, monkeypatch):
    mark, path = tmp_path / "mark", tmp_path / "test_batch_weights_biases.pkl"
    content = pickle.dumps(_LeavesAMark(mark))
    path.write_bytes(content)
    other = replace(REFERENCE_BATCH_FILE, path=path)
    monkeypatch.setattr(shipped_data, "REFERENCE_BATCH_FILE", other)
    with pytest.raises(DataFileError, match=hashlib.sha256(content).hexdigest()):
        load_reference_batch()
    assert not mark.exists()
    pickle.loads(content).close()
    assert mark.exists(), "the pickle must be one that would have run"


def test_building_gives_the_shipped_bytes(tmp_path, capsys):
    out = tmp_path / "out.pkl"
    assert build_reference_batch.main(["--out", str(out)]) == 0
    assert out.read_bytes() == REFERENCE_BATCH_FILE.path.read_bytes()
    assert build_reference_batch.main(["--check"]) == 0
    assert "same bytes" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("{", "Expecting"),
        ("{}", "missing"),
        ('{"X_batch": [[1]], "y_batch": [1], "weight_matrices": [], "biases": []}', "shapes"),
    ],
)
def test_bad_numbers_are_refused_with_the_reason(tmp_path, capsys, text, problem):
    numbers, out = tmp_path / "numbers.json", tmp_path / "out.pkl"
    numbers.write_text(text, encoding="utf-8")
    assert build_reference_batch.main(["--numbers", str(numbers), "--out", str(out)]) == 2
    assert problem in capsys.readouterr().err
    assert not out.exists()
