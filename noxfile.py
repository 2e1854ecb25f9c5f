"""What students run, on every Python that is here, with the oldest and the newest packages.

    make matrix

A Python that is not installed is passed over.
"""

import nox

nox.options.default_venv_backend = "uv|venv"
nox.options.download_python = "never"
nox.options.error_on_missing_interpreters = False

# The oldest that pyproject.toml admits and that has wheels for that Python.
OLDEST = {
    "3.11": ("numpy==1.26.*", "matplotlib==3.8.*"),
    "3.12": ("numpy==1.26.*", "matplotlib==3.8.*"),
    "3.13": ("numpy==2.1.*", "matplotlib==3.9.*"),
    "3.14": ("numpy==2.3.*", "matplotlib==3.10.*"),
}
# What the commands need: Colab has its own ipykernel, and no other.
OLDEST_TOOLS = ("ipykernel==6.17.*", "nbclient==0.10.*", "nbformat==5.10.*")
TESTS = ("tests/support", "tests/notebook/test_text.py", "tests/notebook/test_contract.py")


@nox.session(python=list(OLDEST))
@nox.parametrize("packages", ["oldest", "newest"])
def homework(session: nox.Session, packages: str) -> None:
    """Run the tests of the students' package and of the notebook."""
    oldest = (*OLDEST[str(session.python)], *OLDEST_TOOLS)
    pins = oldest if packages == "oldest" else ("numpy", "matplotlib")
    tools = ("pytest<9.2", "pytest-timeout", "pytest-xdist", "hypothesis", "pypdf")
    ours = ("./hw_support[notebook,pdf]", ".")
    session.install("--quiet", "--upgrade", *ours, *pins, *tools)
    versions = "import numpy, matplotlib; print(numpy.__version__, matplotlib.__version__)"
    session.run("python", "-c", versions)
    session.run("python", "-m", "pytest", "-q", "-m", "not slow", *TESTS)
