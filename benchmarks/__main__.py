"""``python -m benchmarks [name ...]``: run benchmarks by name, or all of them."""

import argparse
import importlib
import os
import platform

import matplotlib as mpl

NAMES = [
    "counts",
    "anatomy",
    "one_file",
    "endless_loop",
    "forking",
    "remote_values",
    "whole_class",
    "busy_machine",
    "graders",
    "growth",
    "pages",
    "mistakes",
    "purity",
    "sizes",
    "figures",
]


def main() -> None:
    """Run the benchmarks that the command line names."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", choices=[*NAMES, []], help="all if none is named")
    mpl.use("Agg")
    chosen = parser.parse_args().names or NAMES[:-1]  # "figures" runs some of the others again
    print(f"{platform.python_implementation()} {platform.python_version()}, {os.cpu_count()} cores")
    for name in chosen:
        print(f"\n== {name} ==", flush=True)
        importlib.import_module(f"benchmarks.{name}").run()


if __name__ == "__main__":
    main()
