"""A student tries to listen in the place of a server of the hub that is down, and gets nothing."""

import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest
from hub import Hub, wait_for
from playwright.sync_api import Page

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("hub")]

MILLISECONDS_TO_NOTICE = 120_000  # that a server has ended
# Takes the ports and the paths that it can, says so in a line, and then writes a line for each
# request that it gets.
TAKE = """
import contextlib, json, os, socket, sys, threading

ports, paths = json.loads(sys.argv[1])
hosts = [(socket.AF_INET, "127.0.0.1"), (socket.AF_INET, "0.0.0.0"), (socket.AF_INET6, "::")]
places = [(family, (host, port), port) for port in ports for family, host in hosts]
places += [(socket.AF_UNIX, path, path) for path in paths]

def serve(listening):
    while True:
        connection, _ = listening.accept()
        print(json.dumps(connection.recv(1 << 16).decode(errors="replace")), flush=True)
        connection.sendall(b"HTTP/1.1 200 OK\\r\\nConnection: close\\r\\n\\r\\nMine")
        connection.close()

taken = {}
for family, address, name in places:
    one = socket.socket(family)
    with contextlib.suppress(OSError):
        if family == socket.AF_UNIX:
            os.unlink(address)
        else:
            one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        one.bind(address)
        one.listen()
        taken[name] = one
print(json.dumps(list(taken)), flush=True)
for one in taken.values():
    threading.Thread(target=serve, args=[one]).start()
threading.Event().wait()
"""
KERNEL = """
async server => {
    const token = decodeURIComponent(document.cookie.match(/_xsrf=([^;]*)/)[1]);
    const answer = await fetch(server + "/api/kernels", {
        method: "POST", headers: {"X-XSRFToken": token}, body: "{}"});
    const kernel = await answer.json();
    const socket = new WebSocket(
        server.replace("http", "ws") + "/api/kernels/" + kernel.id + "/channels");
    await new Promise(resolve => { socket.onmessage = resolve; });
    socket.close();
    return answer.status;
}
"""


@dataclass(frozen=True)
class Addresses:
    """Where the machine's processes listen."""

    ports: list[int]  # of TCP, at 127.0.0.1
    paths: list[str]  # of sockets in folders

    @classmethod
    def of(cls, hub: Hub) -> "Addresses":
        """Return the addresses at which the hub and all that it started listen now."""
        tables = Path(f"/proc/{hub.machine.network}/net")
        tcp, tcp6, unix = (
            [line.split() for line in table.read_text().splitlines()[1:]]
            for table in (tables / name for name in ("tcp", "tcp6", "unix"))
        )
        assert not tcp6
        ports = {row[9]: row[1].split(":") for row in tcp if row[3] == "0A"}
        for sockets in sockets_of_kernels(hub):
            # Here ipykernel, and nobody else, takes what child processes of the kernel print.
            [inner] = sockets & ports.keys()
            del ports[inner]
        assert {host for host, _ in ports.values()} == {"0100007F"}
        paths = [row[7] for row in unix if int(row[3], 16) & 0x10000]
        assert all(path.startswith("/") for path in paths)
        return cls([int(port, 16) for _, port in ports.values()], paths)


def sockets_of_kernels(hub: Hub) -> Iterator[set[str]]:
    """Yield for each kernel the inodes of its open sockets."""
    for process in hub.process().children(recursive=True):
        if "ipykernel_launcher" in process.cmdline():
            files = Path(f"/proc/{process.pid}/fd").iterdir()
            links = [os.readlink(file) for file in files if file.is_socket()]
            yield {link.removeprefix("socket:[").removesuffix("]") for link in links}


@dataclass
class Thief:
    """A student's process that listens wherever it can."""

    taken: list[int | str]  # ports and paths at which it listens
    requests: list[str]  # what it was sent; known when it has ended


@contextmanager
def thief(hub: Hub, addresses: Addresses) -> Iterator[Thief]:
    """Run a student's process that tries to listen at all addresses; it ends at the end."""
    words = ["python", "-c", TAKE, json.dumps([addresses.ports, addresses.paths])]
    command = hub.machine.command(*words, user="bob")
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        try:
            found = Thief(json.loads(process.stdout.readline()), [])
            yield found
        finally:
            process.kill()
        found.requests += [json.loads(line) for line in process.stdout]


def has_ended(process: psutil.Process) -> bool:
    try:
        return bool(process.status() == psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return True


def grader_sees_the_course(hub: Hub, ines: Page) -> bool:
    ines.goto(f"{hub.course}/lab")
    return hub.status(ines, f"{hub.course}/api/contents/nbgrader_config.py") == 200


def test_a_student_cannot_take_an_address_of_a_stopped_hub_or_an_ended_server(own_hub: Hub) -> None:
    ines = own_hub.log_in("ines")
    assert grader_sees_the_course(own_hub, ines)
    addresses = Addresses.of(own_hub)
    assert sorted(addresses.ports) == [300, 301, 302, 303]  # no person has a server yet
    own_hub.stop()
    with thief(own_hub, addresses) as bob:
        assert bob.taken == []
        own_hub.start()
        assert grader_sees_the_course(own_hub, ines)
    assert bob.requests == []

    ada = own_hub.log_in("ada")
    ada.goto(f"{own_hub.url}/hub/spawn")
    ada.wait_for_url("**/user/ada/lab**")
    assert ada.evaluate(KERNEL, own_hub.server("ada")) == 201
    assert ines.evaluate(KERNEL, own_hub.course) == 201
    addresses = Addresses.of(own_hub)
    process = own_hub.process()
    process.suspend()  # it would start a server again when it notices, up to half a minute later
    ended = process.children(recursive=True)
    for below in ended:
        below.kill()
    wait_for(lambda: all(map(has_ended, ended)))
    with thief(own_hub, addresses) as bob:
        assert bob.taken == []
        process.resume()
        own_hub.wait_for_the_course()
        assert grader_sees_the_course(own_hub, ines)
        page = ada.goto(f"{own_hub.server('ada')}/lab", timeout=MILLISECONDS_TO_NOTICE)
        assert page
        assert page.status != 200
        ada.goto(f"{own_hub.url}/hub/spawn")
        ada.wait_for_url("**/user/ada/lab**")
    assert bob.requests == []
