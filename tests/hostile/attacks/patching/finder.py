"""Installs an import finder for every module."""

# /// attack
# prints = ["asked True"]
# ///

# %% before
import importlib.abc, importlib.machinery, sys, types
asked = []
class Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    def find_spec(self, name, path, target=None):
        asked.append(name)
        if name.partition(".")[0] in ("hw_support", "answering", "msgpack"):
            return importlib.machinery.ModuleSpec(name, self, is_package=True)
    def create_module(self, spec):
        module = types.ModuleType(spec.name)
        module.__getattr__ = lambda name: (lambda *a, **k: None)
        module.__path__ = []
        return module
    def exec_module(self, module):
        pass
sys.meta_path.insert(0, Finder())
for name in list(sys.modules):
    if name.partition(".")[0] in ("hw_support", "answering", "msgpack"):
        del sys.modules[name]
import hw_support
hw_support.anything()
print("asked", "hw_support" in asked)
