"""The line of the challenge counts errors and parameters of the network that it is given."""

import numpy as np
import pytest

from hw_support import challenge, get_mnist_threes_nines

LABELS = get_mnist_threes_nines()[1][1]
NETWORK = [np.zeros((784, 5)), np.zeros((5, 1))], [np.zeros((1, 5)), np.zeros((1, 1))]


def test_the_line_counts_errors_and_parameters(capsys):
    g = np.where(LABELS == 1, 0.9, 0.1)[:, None]
    g[[3, 40]] = 1 - g[[3, 40]]
    challenge(g, *NETWORK)
    line = "784-5-1: 2 test errors (99.90 % right), 3,931 parameters\n"
    assert capsys.readouterr().out == line


def test_probabilities_of_other_images_are_refused():
    with pytest.raises(ValueError, match="expected 2,019 probabilities, got 50"):
        challenge(np.zeros(50), *NETWORK)
