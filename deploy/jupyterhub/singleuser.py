"""Runs JupyterLab for a person or for the course, at a port that root has opened.

Whoever listens at the port of a server gets what browsers send there, also the cookies by which
they are logged in. A server that opens its port itself leaves it to any user whenever it is down.
So root opens the port, and this program gets the socket as its standard input.

Kernels listen at sockets in a private folder. At a port, any user could read what a kernel runs and
prints.
"""

import os
import socket
import sys
from pathlib import Path

from jupyter_server.serverapp import ServerApp
from jupyterhub.singleuser.extension import JupyterHubSingleUser


class ServerAtOpenPort(ServerApp):
    """A server for which a port is open already.

    Attributes
    ----------
    listening
        A TCP socket with an address.
    """

    listening: socket.socket

    def _find_http_port(self) -> None:
        """Look for no port."""

    def _bind_http_server(self) -> None:
        """Accept connections."""
        self.listening.setblocking(False)
        self.listening.listen(128)
        self.http_server.add_socket(self.listening)


def main() -> None:
    """Run the server with the options of the command line."""
    ServerAtOpenPort.listening = socket.socket(fileno=os.dup(0))
    with Path(os.devnull).open() as nothing:
        os.dup2(nothing.fileno(), 0)  # so no kernel and no terminal inherits the socket
    # The path of a socket has at most 107 characters, and Jupyter's own folder has a long name.
    os.environ["JUPYTER_RUNTIME_DIR"] = str(Path.home() / ".jupyter" / "run")
    JupyterHubSingleUser.serverapp_class = ServerAtOpenPort
    JupyterHubSingleUser.launch_instance([*sys.argv[1:], "--KernelManager.transport=ipc"])


if __name__ == "__main__":
    main()
