"""A run by Dask workers is refused if there are none, or if they differ from this machine.

That their scores are those of a serial run is shown in test_whole_class.py.
"""

import pytest
from distributed import LocalCluster

from hw_grading.grade.cluster import DaskWorkers
from hw_grading.grade.job import installed
from hw_grading.run.settings import RunSettings
from hw_support.submission.file import UserError


@pytest.mark.slow
def test_no_workers_or_one_that_differs_end_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UserError, match="dask scheduler"):
        DaskWorkers("tcp://127.0.0.1:1", 1, RunSettings())
    here = {**installed(), "numpy": "1.0"}
    monkeypatch.setattr("hw_grading.grade.cluster.installed", lambda packages: here)
    with LocalCluster(n_workers=1, threads_per_worker=1, dashboard_address=None) as cluster:
        said = r"Dask workers differ .*numpy [\d.]+, expected 1\.0"
        with pytest.raises(UserError, match=said):
            DaskWorkers(cluster.scheduler_address, 120, RunSettings())
