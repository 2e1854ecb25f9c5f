import json
import pickle
from dataclasses import replace

import pytest

from hw_support import DataFileError, load_reference_batch, shipped_data
from hw_support.homeworks.shipped_data import REFERENCE_BATCH_FILE
from tools import build_reference_batch


def test_numbers_of_every_call_are_those_of_the_json_to_the_last_bit():
    load_reference_batch().X_batch[:] = 7
    batch = load_reference_batch()
    numbers = json.loads(build_reference_batch.NUMBERS_FILE.read_text(encoding="utf-8"))
    found = {
        name: [a.tolist() for a in value] if isinstance(value, list) else value.tolist()
        for name, value in batch._asdict().items()
    }
    assert found == {name: numbers[name] for name in batch._fields}


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
    with pytest.raises(DataFileError, match="is damaged"):
        load_reference_batch()
    assert not mark.exists()
    pickle.loads(content).close()
    assert mark.exists(), "the pickle must be one that would have run"


def test_building_gives_the_shipped_bytes():
    built = build_reference_batch.pickle_batch(build_reference_batch.read_numbers())
    assert built == REFERENCE_BATCH_FILE.path.read_bytes()
