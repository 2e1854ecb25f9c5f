"""Asks netlink about the machine."""

# /// attack
# uses = ["tries"]
# problems = []
# works = []
# refused = 6
# ///

# %% before
def all_of(kind):
    netlink = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0)
    netlink.settimeout(1)
    netlink.send(struct.pack("IHHII", 17, kind, 0x301, 1, 0) + b"\0")
    answer = netlink.recv(1 << 16)
    if struct.unpack_from("H", answer, 4)[0] == 3:
        raise OSError("empty")
def subscribe(protocol, group):
    netlink = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, protocol)
    netlink.bind((0, group))
    netlink.settimeout(0.5)
    netlink.recv(1 << 16)
attempt("addresses", all_of, 22)
attempt("routes", all_of, 26)
attempt("neighbours", all_of, 30)
attempt("uevents", subscribe, 15, 1)
attempt("audit", subscribe, 9, 1)
attempt("sockets", subscribe, 4, 1)
