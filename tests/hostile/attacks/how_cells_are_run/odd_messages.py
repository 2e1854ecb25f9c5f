"""Sends messages of every kind with odd content, and data that is not a message."""

# /// attack
# uses = ["forge"]
# never_prints = ["not sent"]
# variants = [
#     "{'data': nested(50_000), 'metadata': {}, 'execution_count': 1}",
#     "{'data': {'text/html': ['<script>alert(1)</script>', 7]}, 'metadata': 7}",
# ]
# ///

# %% before
import json
def nested(depth):
    inner = {}
    for _ in range(depth):
        inner = {"a": inner}
    return inner
def pack(value):
    try:
        return json.dumps(value, default=str).encode("utf-8", "surrogatepass")
    except RecursionError:
        return b'{"data":' + b'{"a":' * 50_000 + b"1" + b"}" * 50_001
kernel.session.pack = pack
kinds = ("execute_result", "display_data", "update_display_data", "error", "stream", "status",
         "clear_output", "comm_open", "comm_msg", "comm_close", "execute_input", "nothing")
for kind in kinds:
    try:
        forge(kind, pack(VARIANT))
    except Exception as error:
        print("not sent", kind, type(error).__name__)
print("d" + "one")
def signed(*frames):
    return [b"forged", b"<IDS|MSG>", kernel.session.sign(list(frames)), *frames]
heads = [b"", b"{", b"[]", b"7", b"null", b'{"msg_id": 7}', b"\xff\xfe", b'{"msg_id":' * 9999]
for head in heads:
    for frames in ([head, b"{}", b"{}", b"{}"], [b"{}", head, b"{}", b"{}"], [head]):
        kernel.iopub_thread.send_multipart(signed(*frames))
kernel.iopub_thread.send_multipart([b"no", b"delimiter"])
