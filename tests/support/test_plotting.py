"""Digits and axes are drawn as asked for, and nothing else changes."""

import subprocess
import sys
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pytest

from hw_support import display_digits, label_axes

mpl.use("Agg")
import matplotlib.pyplot as plt

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(autouse=True)
def closed():
    plt.close("all")  # another test in this process may have left some
    yield
    plt.close("all")


@pytest.mark.parametrize(
    ("image", "limits"),
    [
        (np.full((28, 28), 0.25), (0, 1)),
        (np.linspace(-2, 3, 784), (-3, 3)),  # 0 is in the middle
    ],
)
def test_an_image_is_upright_and_its_grey_levels_comparable(image, limits):
    (ax,) = display_digits([image], [3])
    (drawn,) = ax.images
    np.testing.assert_array_equal(drawn.get_array(), np.reshape(image, (28, 28)).astype(float))
    assert drawn.origin == "upper"
    assert drawn.get_clim() == limits
    assert ax.get_title() == "3"
    assert len(ax.get_xticks()) == len(ax.get_yticks()) == 0


def test_images_of_weights_have_one_scale_and_images_of_pixels_their_own():
    axes = display_digits([np.full(784, -0.5), np.full(784, 2.0), np.ones(784)], "abc")
    assert [ax.images[0].get_clim() for ax in axes] == [(-2, 2), (-2, 2), (0, 1)]


def test_digits_are_laid_out_in_even_rows_and_places_left_over_are_blank():
    axes = display_digits(np.zeros((9, 784)), range(9))
    grid = axes[0].get_gridspec()
    assert (grid.nrows, grid.ncols) == (2, 5)
    assert [ax.get_title() for ax in axes] == [*"012345678"]
    assert not axes[0].figure.axes[9].axison
    _, given = plt.subplots(2, 2)
    assert [*display_digits([np.zeros(784)] * 3, "abc", given)] == [*given.flat[:3]]
    assert not given[1, 1].axison
    assert len(plt.get_fignums()) == 2


@pytest.mark.parametrize(
    ("images", "captions", "axes", "problem"),
    [
        ([], [], None, "at least one image, and a caption for each; got 0 images and 0 captions"),
        (np.zeros((2, 784)), ["a"], None, "got 2 images and 1 captions"),
        (np.zeros((2, 784)), ["a", "b"], 1, "axes: expected at least 2, got 1"),
        ([np.zeros(784), np.zeros(10)], "ab", None, r"images\[1\]: expected shape .* got \(10,\)$"),
        ([np.zeros((5, 28, 28))], "a", None, r"got \(5, 28, 28\). To choose one of 5, index it"),
        ([np.full(784, np.nan)], "a", None, "finite numbers, got others"),
    ],
)
def test_what_cannot_be_drawn_is_refused_with_expected_and_got(images, captions, axes, problem):
    given = None if axes is None else plt.subplots()[1]
    with pytest.raises(ValueError, match=problem):
        display_digits(images, captions, given)


def test_label_axes_sets_texts_grid_and_a_legend_for_labels():
    how = {"title": "Loss", "xlabel": "iteration", "ylabel": "mean loss"}
    _, (bare, with_label, unwanted) = plt.subplots(1, 3)
    with_label.plot([0, 1], label="training")
    unwanted.plot([0, 1], label="training")
    assert label_axes(bare, **how) is bare
    assert (bare.get_title(), bare.get_xlabel()) == ("Loss", "iteration")
    assert bare.get_ylabel() == "mean loss"
    assert bare.get_axisbelow() is True
    assert bare.get_legend() is None
    assert label_axes(unwanted, **how, legend=False).get_legend() is None
    (text,) = label_axes(with_label, **how).get_legend().get_texts()
    assert text.get_text() == "training"


def test_importing_the_package_does_not_import_matplotlib():
    code = "import sys, hw_support; sys.exit('matplotlib' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0
