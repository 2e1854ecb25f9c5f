"""Sends datagrams to everybody."""

# /// attack
# checked_in = "test_system.py"
# uses = ["tries"]
# problems = []
# works = []
# refused = ["udp"]
# ///

# %% before
def shout(address):
    udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    udp.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
    udp.sendto(b"hello", (address, PORT))
for address in ("255.255.255.255", "127.255.255.255", "127.0.0.1", "224.0.0.1", "8.8.8.8"):
    attempt("udp", shout, address)
