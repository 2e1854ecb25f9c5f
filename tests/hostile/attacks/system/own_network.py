"""Opens raw sockets, and makes a network of its own."""

# /// attack
# uses = ["tries"]
# problems = []
# works = []
# refused = 9
# ///

# %% before
attempt("raw", socket.socket, socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)
attempt("packet", socket.socket, socket.AF_PACKET, socket.SOCK_RAW, 3)
attempt("xdp", socket.socket, 44, socket.SOCK_RAW, 0)
attempt("ping", socket.socket, socket.AF_INET, socket.SOCK_DGRAM, socket.IPPROTO_ICMP)
import fcntl
def ask(number, request):
    fcntl.ioctl(socket.socket(socket.AF_INET, socket.SOCK_DGRAM), number, request)
attempt("ifup", ask, 0x8914, struct.pack("16sh14x", b"lo", 1))
address = struct.pack("16sHH4s8x", b"lo", socket.AF_INET, 0, bytes([10, 0, 0, 1]))
attempt("address", ask, 0x8916, address)
def make_link():
    netlink = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE)
    body = struct.pack("BxHiII", 0, 0, 1, 1, 1)  # RTM_NEWLINK: the loopback, up
    netlink.send(struct.pack("IHHII", 16 + len(body), 16, 5, 1, 0) + body)
    code = struct.unpack_from("i", netlink.recv(4096), 16)[0]
    if code:
        raise OSError(-code, os.strerror(-code))
attempt("newlink", make_link)
attempt("pair", socket.socketpair, socket.AF_INET)
attempt("interfaces", lambda: [n for n in socket.if_nameindex() if n[1] != "lo"] or 1 / 0)
