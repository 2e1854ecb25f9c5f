"""Calls the test's function from a thread that calls itself the main one."""

# /// attack
# prints_unless = {"said True" = []}
# ///

# %% apply
import threading, types
import answering.serve
main = threading.get_ident()
answering.serve.threading = types.SimpleNamespace(get_ident=lambda: main)
said = []
def apply(f, x):
    def ask():
        for _ in range(20):
            try:
                said.append(f(x))
            except BaseException as error:
                said.append(type(error).__name__)
    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    return -1

# %% after
print('said', len(said) > 0)
