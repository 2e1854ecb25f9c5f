"""Answers with a frame that the protocol did not make."""

# /// attack
# uses = ["link"]
# problems_one_of = ["protocol", "kernel"]
# [variants]
# noise = "os.urandom(4096)"
# "a large head that never comes" = "struct.pack('>II', 1 << 20, 0)"
# "a large body that never comes" = "struct.pack('>II', 2, 32 << 20) + b'\\x91\\x00'"
# "a head of 4 GB" = "struct.pack('>II', 0xFFFFFFFF, 0)"
# "a body of 4 GB" = "struct.pack('>II', 1, 0xFFFFFFFF)"
# "half a length" = "b'\\x00\\x00'"
# "an empty frame" = "struct.pack('>II', 0, 0)"
# "deep lists" = '''frame(b'\x91' * 5000 + b'\xc0')'''
# "a map" = '''frame(b'\x81\x00\x00')'''
# "an extension" = '''frame(b'\xd4\x01\x00')'''
# "a timestamp" = '''frame(b'\xd6\xff\x00\x00\x00\x00')'''
# "a list of 4 billion" = '''frame(b'\xdd\xff\xff\xff\xff')'''
# "a text of 4 GB" = '''frame(b'\xdb\xff\xff\xff\xff')'''
# "no utf-8" = '''frame(b'\xa2\xff\xfe')'''
# "an array of objects" = '''frame(msgpack.packb([0, 'values', [3, '|O8', [1]], [0]]), b'\1' * 8)'''
# "a long dtype" = '''frame(msgpack.packb([0, 'values', [3, 'f8,' * 999, [1]], [0]]), b'\1' * 8)'''
# "a negative shape" = '''frame(msgpack.packb([0, 'values', [3, '<f8', [-1]], [0]]), b'\1' * 8)'''
# "a shape that overflows" = """frame(msgpack.packb([0, 'values', [3, '<f8', [2**32, 2**32]], \
#     [0]]), b'\\1' * 8)"""
# "a wide and empty shape" = """frame(msgpack.packb([0, 'values', [3, '<f8', [0] + [2**31] * \
#     31], [0]]))"""
# "more bytes than arrays" = '''frame(msgpack.packb([0, 'values', 1, [0]]), b'\1' * 8)'''
# ///

# %% before
import msgpack
def frame(head, body=b""):
    return struct.pack(">II", len(head), len(body)) + head + body
def serve():
    print("asked for", receive()[0])
    link.sendall(VARIANT)
    time.sleep(0.5)
answering.start.answer = serve
print("armed")
