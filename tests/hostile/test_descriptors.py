"""Descriptors that are on their way in messages: the system counts those of a user together."""

import subprocess
import sys

# As an ordinary user, whom the system refuses further ones.
SENDS = """
import errno, os, resource, socket
from hw_grading.sandbox import descriptors

if os.getuid() == 0:
    os.setgroups([])
    os.setuid(54_321)
_, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
resource.setrlimit(resource.RLIMIT_NOFILE, (64, hard))
here, there = socket.socketpair()
try:
    for _ in range(9):
        socket.send_fds(here, [b"x"], [0] * 40)
except OSError as error:
    assert error.errno == errno.ETOOMANYREFS, error
    descriptors.send(here, b"y", [0])
    print("sent")
"""


def test_the_grader_sends_descriptors_when_student_code_has_left_many_in_messages() -> None:
    program = [sys.executable, "-c", SENDS]
    assert subprocess.run(program, check=True, capture_output=True, text=True).stdout == "sent\n"
