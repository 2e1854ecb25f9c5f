# `walk(top, read)` searches all names below a folder, and the files for which `read(path)` is true.
names = [0]
def walk(top, read):
    for folder, folders, files in os.walk(top, followlinks=False):
        for name in [*folders, *files]:
            path = os.path.join(folder, name)
            names[0] += 1
            search("name", path)
            try:
                if os.path.islink(path):
                    search("link", os.readlink(path))
                for attribute in os.listxattr(path, follow_symlinks=False):
                    search("xattr", attribute)
                    search("xattr", os.getxattr(path, attribute, follow_symlinks=False))
            except OSError:
                pass
        for name in files:
            path = os.path.join(folder, name)
            try:
                status = os.lstat(path)
                if stat.S_ISREG(status.st_mode) and status.st_size < 2_000_000 and read(path):
                    with open(path, "rb") as file:
                        search(path, file.read())
            except OSError:
                pass
