"""Returns, and leaves threads that go on calling the test's function, in later tests too."""

# /// attack
# limits = "short"
# prints = ["left"]
# ///

# %% apply
import threading
def apply(f, x):
    def ask():
        while True:
            try:
                f(x)
            except Exception:
                pass
    for _ in range(5):
        threading.Thread(target=ask, daemon=True).start()
    print('left', flush=True)
    return -1

# %% before
print('left', flush=True)
