"""``python -m hw_grading`` is the same as ``hw-grading``."""

import sys

from hw_grading.cli import main

if __name__ == "__main__":
    sys.exit(main())
