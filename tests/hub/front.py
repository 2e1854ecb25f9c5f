"""Stands for the web server in front of a hub: it leads to the hub what browsers send to a socket.

The hub's machine has a network of its own. This program runs in that network, and has inherited a
socket of the network outside, at which the browsers are.
"""

import asyncio
import socket
import sys
from contextlib import suppress


async def pour(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Write to one side what the other side sends, until it ends."""
    with suppress(ConnectionError):
        while part := await reader.read(1 << 16):
            writer.write(part)
            await writer.drain()
    writer.close()


async def serve(listening: socket.socket, host: str, port: int) -> None:
    """Lead every connection of the socket to an address."""

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            inner_reader, inner_writer = await asyncio.open_connection(host, port)
        except ConnectionError:
            writer.close()
            return
        await asyncio.gather(pour(reader, inner_writer), pour(inner_reader, writer))

    async with await asyncio.start_server(connected, sock=listening) as server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(socket.socket(fileno=int(sys.argv[1])), sys.argv[2], int(sys.argv[3])))
