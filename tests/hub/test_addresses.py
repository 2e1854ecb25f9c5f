"""A student tries to listen in the place of a server of the hub that is down, and gets nothing."""

import json
import os
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from hub import Hub, wait_for

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("hub")]

# Says at which of these ports and paths it could listen.
TAKE = """
import contextlib, json, os, socket, sys

taken = []
for name in json.loads(sys.argv[1]):
    places = [(socket.AF_INET, ("127.0.0.1", name)), (socket.AF_INET, ("0.0.0.0", name)),
              (socket.AF_INET6, ("::", name))]
    for family, place in places if type(name) is int else [(socket.AF_UNIX, name)]:
        with contextlib.suppress(OSError), socket.socket(family) as one:
            if family == socket.AF_UNIX:
                with contextlib.suppress(FileNotFoundError):
                    os.unlink(place)
            else:
                one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            one.bind(place)
            one.listen()
            taken += [name] if name not in taken else []
print(json.dumps(taken))
"""
FREE: list[int | str] = ["/tmp/free", 5000]  # addresses that anybody can take
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


def addresses_of(hub: Hub) -> list[int | str]:
    """Return the ports and paths at which the hub and all that it started listen now."""
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
    return [*(int(port, 16) for _, port in ports.values()), *paths]


def sockets_of_kernels(hub: Hub) -> Iterator[set[str]]:
    """Yield for each kernel the inodes of its open sockets."""
    for process in hub.process().children(recursive=True):
        if "ipykernel_launcher" in process.cmdline():
            files = Path(f"/proc/{process.pid}/fd").iterdir()
            links = [os.readlink(file) for file in files if file.is_socket()]
            yield {link.removeprefix("socket:[").removesuffix("]") for link in links}


def taken(hub: Hub, addresses: list[int | str]) -> list[int | str]:
    """Return the addresses, of these and `FREE`, at which a student's process can listen."""
    wanted = json.dumps([*addresses, *FREE])
    found: list[int | str] = json.loads(hub.machine.run("python", "-c", TAKE, wanted, user="bob"))
    return found


def has_ended(process: psutil.Process) -> bool:
    try:
        return bool(process.status() == psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return True


def test_a_student_cannot_take_an_address_of_a_stopped_hub_or_an_ended_server(hub: Hub) -> None:
    ines, ada = hub.log_in("ines"), hub.log_in("ada")
    ines.goto(f"{hub.course}/lab")
    ada.goto(f"{hub.url}/hub/spawn")
    ada.wait_for_url("**/user/ada/lab**")
    assert ada.evaluate(KERNEL, hub.server("ada")) == 201
    assert ines.evaluate(KERNEL, hub.course) == 201
    addresses = addresses_of(hub)
    assert {300, 301, 302, 303} <= {*addresses}
    process = hub.process()
    process.suspend()  # it would start a server again when it notices, up to half a minute later
    ended = process.children(recursive=True)
    for below in ended:
        below.kill()
    wait_for(lambda: all(map(has_ended, ended)))
    assert taken(hub, addresses) == FREE
    process.resume()
    hub.wait_for_the_course()
    hub.stop()
    assert taken(hub, addresses) == FREE
    hub.start()
    ines.goto(f"{hub.course}/lab")
    assert hub.status(ines, f"{hub.course}/api/contents/nbgrader_config.py") == 200
