import hashlib
import json
import pickle
from dataclasses import replace

import pytest

from hw_support import DataFileError, load_reference_batch, shipped_data
from hw_support.shipped_data import REFERENCE_BATCH_FILE
from tools import build_reference_batch


@pytest.fixture
def batch():
    return load_reference_batch()


def test_numbers_are_those_of_the_json_to_the_last_bit(batch):
    numbers = json.loads(build_reference_batch.NUMBERS_FILE.read_text(encoding="utf-8"))
    for name, value in batch._asdict().items():
        found = [a.tolist() for a in value] if isinstance(value, list) else value.tolist()
        assert found == numbers[name]


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
