"""Sends data that is not a message."""

# /// attack
# uses = ["forge"]
# prints_unless_problems = ["sent"]
# ///

# %% before
def signed(*frames):
    return [b"forged", b"<IDS|MSG>", kernel.session.sign(list(frames)), *frames]
heads = [b"", b"{", b"[]", b"7", b"null", b'{"msg_id": 7}', b"\xff\xfe", b'{"msg_id":' * 9999]
for head in heads:
    for frames in ([head, b"{}", b"{}", b"{}"], [b"{}", head, b"{}", b"{}"], [head]):
        kernel.iopub_thread.send_multipart(signed(*frames))
kernel.iopub_thread.send_multipart([b"no", b"delimiter"])
print("sent")
