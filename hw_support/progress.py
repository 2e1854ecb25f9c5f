"""A progress bar for training loops."""

import sys
from collections.abc import Iterable
from typing import Any

from tqdm import tqdm


def progress(steps: Iterable[Any], label: str = "") -> Any:
    """Loop over `steps` with a progress bar behind a label such as ``"epoch 1"``.

    The bar is plain text on stdout, so it needs no widgets and leaves no red output behind, and it
    is drawn at most twice a second.
    """
    return tqdm(steps, desc=label, file=sys.stdout, mininterval=0.5, ncols=78)
