"""Tells the kernel to restart while a test runs."""

# /// attack
# prints = ["done"]
# ///

# %% double
def double(x):
    from jupyter_client import BlockingKernelClient
    client = BlockingKernelClient()
    client.load_connection_file("/run/kernel/connection.json")
    client.start_channels()
    client.shutdown(restart=True)
    import time
    time.sleep(1)
    return 0 * x
print("d" + "one")
