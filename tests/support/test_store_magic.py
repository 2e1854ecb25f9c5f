"""IPython's ``%store`` keeps variables through pickleshare, as `hw_support.runs` does."""

import os
import subprocess
import sys

import pytest


def test_store_magic_keeps_a_list_across_two_ipython_processes(tmp_path):
    pytest.importorskip("IPython")
    environment = {**os.environ, "IPYTHONDIR": str(tmp_path), "HOME": str(tmp_path)}

    def ipython(code):
        command = [sys.executable, "-m", "IPython", "--no-banner", "--colors=nocolor", "-c", code]
        done = subprocess.run(
            command, env=environment, cwd=tmp_path, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    ipython("test_acc = [0.5, 0.98316]\nget_ipython().run_line_magic('store', 'test_acc')")
    told = ipython("get_ipython().run_line_magic('store', '-r test_acc'); print(test_acc)")
    assert told.splitlines()[-1] == "[0.5, 0.98316]"
