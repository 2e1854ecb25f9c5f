# `take_over(server)` lets a function of the student's answer the grader. `frame` and `raw` send, and
# `ask` gives the next question, its body unread. FUNCTION stands for a function of the student's,
# and `value` is an answer that fits the last question.
import msgpack, os, socket, struct, time
import answering.start as start
link = None  # to the grader, of the try that runs
def receive(size):
    data = bytearray()
    while len(data) < size:
        piece = link.recv(min(size - len(data), 1 << 20))
        if not piece:
            raise EOFError
        data += piece
    return bytes(data)
def ask():
    head, body = struct.unpack(">II", receive(8))
    global last
    last = msgpack.unpackb(receive(head), strict_map_key=False)
    receive(body)
    return last
def raw(head, body=b"", announced=None):
    link.sendall(struct.pack(">II", *(announced or (len(head), len(body)))) + head + body)
def frame(message, body=b""):
    raw(msgpack.packb(message), body)
FUNCTION = [4, 1, True, "function", None]
last = [0, "call", FUNCTION, [0, [0]], False]
def value(item=FUNCTION, after=[[0], None]):
    "One value for all that the last question asks for; what calls have changed."
    if last[1] == "get":
        return [0, "values", [0, *[[0, item] for _ in last[2][1:]]], None]
    if last[1] == "call":
        after = after if last[4] else []
        return [0, "values", [0, *[[0, item, *after] for _ in last[3][1:]]], None]
    return [0, "values", [0], None]
def serve(answer):
    "Answer every question of a try by a function of its words."
    try:
        while True:
            answer(ask())
    except EOFError:
        pass
def take_over(server):
    "Answer here, not in a child; otherwise take part in a test as is right."
    def taken():
        global link
        for fd in socket.recv_fds(start._link, 1 << 15, 1)[1]:
            link = socket.socket(fileno=fd)
        start._link.send(b"+")
    def instead():
        taken()
        try:
            server()
        except EOFError:
            pass
        taken()
    start.answer = instead
    print("taken over", flush=True)
