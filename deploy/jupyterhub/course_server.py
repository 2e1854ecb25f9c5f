"""Opens the port of the course's server as root, then becomes the course's user for good.

    python course_server.py USER OPTIONS_OF_THE_SERVER

The port is below 1024, where only root can listen.
"""

import os
import pwd
import socket
import sys
from pathlib import Path
from urllib.parse import urlsplit


def main() -> None:
    """Run singleuser.py as another user, with an open port as its standard input."""
    user = pwd.getpwnam(sys.argv[1])
    address = urlsplit(os.environ["JUPYTERHUB_SERVICE_URL"])
    listening = socket.create_server((address.hostname, address.port))
    os.dup2(listening.fileno(), 0)

    os.setgroups(os.getgrouplist(user.pw_name, user.pw_gid))
    os.setgid(user.pw_gid)
    os.setuid(user.pw_uid)
    os.environ |= {"USER": user.pw_name, "HOME": user.pw_dir, "SHELL": user.pw_shell}
    program = Path(__file__).with_name("singleuser.py")
    os.execv(sys.executable, [sys.executable, str(program), *sys.argv[2:]])


if __name__ == "__main__":
    main()
