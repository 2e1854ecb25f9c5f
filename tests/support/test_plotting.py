import dataclasses
import subprocess
import sys
from itertools import combinations
from pathlib import Path

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pytest

from hw_support import PALETTE, display_digits, display_image, label_axes

ROOT = Path(__file__).resolve().parents[2]
COLOURS = dataclasses.asdict(PALETTE)

# Linear RGB to linear RGB as somebody sees it, by two models. F. Viénot, H. Brettel and
# J. D. Mollon, Color Res. Appl. 24 (1999) 243; G. M. Machado, M. M. Oliveira and
# L. A. F. Fernandes, IEEE Trans. Vis. Comput. Graph. 15 (2009) 1291, for severity 1.0.
SIGHTS = {
    "normal": np.eye(3),
    "protanopia (Viénot)": [
        [0.11238, 0.88762, 0],
        [0.11238, 0.88762, 0],
        [0.00401, -0.00401, 1],
    ],
    "deuteranopia (Viénot)": [
        [0.29275, 0.70725, 0],
        [0.29275, 0.70725, 0],
        [-0.02234, 0.02234, 1],
    ],
    "protanopia (Machado)": [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    "deuteranopia (Machado)": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ],
    "tritanopia (Machado)": [
        [1.255528, -0.076749, -0.178779],
        [-0.078411, 0.930809, 0.147602],
        [0.004733, 0.691367, 0.303900],
    ],
}
RGB_TO_XYZ = np.array(
    [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]
)


@pytest.fixture(autouse=True)
def closed_figures():
    plt.close("all")  # another test in this process may have left some
    yield
    plt.close("all")


def linear_rgb(colour):
    encoded = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    return np.where(encoded <= 0.04045, encoded / 12.92, ((encoded + 0.055) / 1.055) ** 2.4)


def contrast_on_white(colour):
    """Contrast ratio of WCAG 2, between 1 and 21."""
    return 1.05 / (linear_rgb(colour) @ [0.2126, 0.7152, 0.0722] + 0.05)


def lab(linear):
    xyz = RGB_TO_XYZ @ np.clip(linear, 0, 1) / (RGB_TO_XYZ @ np.ones(3))
    f = np.where(xyz > (6 / 29) ** 3, np.cbrt(xyz), xyz / (3 * (6 / 29) ** 2) + 4 / 29)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


def distance(one, other, sight):
    """Colour distance (CIE 1976 delta E; about 2 is just noticeable)."""
    matrix = np.asarray(SIGHTS[sight])
    return np.linalg.norm(lab(matrix @ linear_rgb(one)) - lab(matrix @ linear_rgb(other)))


def test_the_contrast_formula_gives_the_known_ends_of_its_scale():
    assert contrast_on_white("#ffffff") == pytest.approx(1)
    assert contrast_on_white("#000000") == pytest.approx(21)
    assert contrast_on_white("#777777") == pytest.approx(4.48, abs=0.01)


@pytest.mark.parametrize(
    ("one", "other", "sight"),
    [
        ("#b14040", "#6d6e40", "deuteranopia (Viénot)"),
        ("#b14040", "#6d6e40", "deuteranopia (Machado)"),
        ("#409060", "#4080b0", "tritanopia (Machado)"),
    ],
)
def test_the_simulation_merges_colours_that_normal_sight_tells_apart(one, other, sight):
    assert distance(one, other, "normal") > 40
    assert distance(one, other, sight) < 15


@pytest.mark.parametrize("sight", SIGHTS)
def test_every_sight_sees_white_as_white(sight):
    np.testing.assert_allclose(np.asarray(SIGHTS[sight]) @ np.ones(3), 1, atol=1e-5)


@pytest.mark.parametrize("role", COLOURS)
def test_every_colour_has_contrast_3_to_1_on_white(role):
    assert contrast_on_white(COLOURS[role]) >= 3


@pytest.mark.parametrize("sight", SIGHTS)
def test_train_and_test_are_far_apart_in_every_sight(sight):
    assert distance(PALETTE.train, PALETTE.test, sight) >= 40


@pytest.mark.parametrize("sight", SIGHTS)
def test_all_roles_can_be_told_apart_in_every_sight(sight):
    for one, other in combinations(COLOURS.values(), 2):
        assert distance(one, other, sight) >= 10, (one, other)


def test_train_and_test_differ_in_a_print_without_colour():
    train, test = (lab(linear_rgb(colour))[0] for colour in (PALETTE.train, PALETTE.test))
    assert abs(train - test) >= 5  # of CIE lightness, 0 to 100


def test_the_palette_cannot_be_changed():
    with pytest.raises(dataclasses.FrozenInstanceError):
        PALETTE.train = "#000000"


@pytest.mark.parametrize("shape", [(28, 28), (784,)])
def test_an_image_is_drawn_upright_flat_or_square(shape):
    pixels = np.linspace(0, 1, 784).reshape(shape)
    ax = display_image(pixels, title="a digit")
    (drawn,) = ax.images
    np.testing.assert_array_equal(drawn.get_array(), pixels.reshape(28, 28))
    assert drawn.origin == "upper"
    assert ax.get_title() == "a digit"
    assert len(ax.get_xticks()) == len(ax.get_yticks()) == 0


def test_an_image_is_drawn_on_the_axes_that_are_given():
    figure, ax = plt.subplots()
    assert display_image(np.zeros(784), ax) is ax
    assert plt.get_fignums() == [figure.number]


def test_a_new_figure_is_small():
    assert max(display_image(np.zeros(784)).figure.get_size_inches()) <= 3


@pytest.mark.parametrize(
    ("image", "limits"),
    [
        (np.zeros(784), (0, 1)),
        (np.full(784, 0.25), (0, 1)),
        (np.ones(784, bool), (0, 1)),
        (np.linspace(-2, 3, 784), (-2, 3)),
        (np.arange(784) % 256, (0, 255)),
    ],
)
def test_grey_levels_are_comparable_within_0_to_1_and_stretched_beyond(image, limits):
    assert display_image(image).images[0].get_clim() == limits


@pytest.mark.parametrize(
    ("image", "problem"),
    [
        (np.zeros(783), r"expected one image of shape \(28, 28\) or \(784,\), got shape \(783,\)"),
        (np.zeros((5, 28, 28)), r"got shape \(5, 28, 28\); this holds 5 images"),
        (np.zeros((1, 784)), r"got shape \(1, 784\); this holds 1 images: choose one"),
        (3.0, r"got shape \(\)"),
        (np.full((28, 28), "x"), "real numbers, got dtype"),
        (np.zeros(784, complex), "real numbers, got dtype complex128"),
        (np.where(np.arange(784) == 30, np.nan, 0), "finite numbers, got nan in row 1, column 2"),
    ],
)
def test_a_value_that_is_not_one_image_is_refused_with_expected_and_got(image, problem):
    with pytest.raises(ValueError, match=problem):
        display_image(image)
    assert plt.get_fignums() == []


def test_digits_come_back_in_order_with_their_captions():
    images = np.linspace(0, 1, 3)[:, None, None] * np.ones((3, 28, 28))
    axes = display_digits(images, np.array([0, 1, 1]))
    assert axes.shape == (3,)
    assert [ax.get_title() for ax in axes] == ["0", "1", "1"]
    assert [ax.images[0].get_array()[0, 0] for ax in axes] == [0, 0.5, 1]


@pytest.mark.parametrize(
    ("count", "rows", "columns"), [(1, 1, 1), (8, 1, 8), (12, 2, 6), (9, 2, 5)]
)
def test_digits_are_laid_out_in_even_rows_of_at_most_eight(count, rows, columns):
    axes = display_digits(np.zeros((count, 784)), range(count))
    grid = axes[0].get_gridspec()
    assert (grid.nrows, grid.ncols) == (rows, columns)
    spare = axes[0].figure.axes[count:]
    assert not any(ax.axison for ax in spare)


def test_digits_are_drawn_on_given_axes_and_those_left_over_are_blank():
    _, grid = plt.subplots(2, 2)
    axes = display_digits([np.zeros(784)] * 3, ["a", "b", "c"], grid)
    assert list(axes) == list(grid.flat[:3])
    assert not grid[1, 1].axison
    assert len(plt.get_fignums()) == 1


@pytest.mark.parametrize(
    ("count", "captions", "axes", "problem"),
    [
        (0, [], None, "at least one image, got none"),
        (2, ["a"], None, "each of the 2 images, got 1"),
        (2, ["a", "b"], 1, "axes: expected at least 2, got 1"),
    ],
)
def test_numbers_of_captions_or_axes_that_do_not_match_are_refused(count, captions, axes, problem):
    given = None if axes is None else plt.subplots()[1]
    with pytest.raises(ValueError, match=problem):
        display_digits(np.zeros((count, 784)), captions, given)


def test_the_bad_one_of_several_images_is_named():
    with pytest.raises(ValueError, match=r"images\[1\]: expected one image"):
        display_digits([np.zeros(784), np.zeros(10)], ["a", "b"])


def labelled(ax, **options):
    return label_axes(ax, title="Loss", xlabel="iteration", ylabel="mean loss", **options)


def test_label_axes_sets_the_texts_and_a_grid_behind_the_lines():
    _, ax = plt.subplots()
    assert labelled(ax) is ax
    assert (ax.get_title(), ax.get_xlabel(), ax.get_ylabel()) == ("Loss", "iteration", "mean loss")
    assert ax.get_axisbelow() is True
    assert all(line.get_visible() for line in ax.get_xgridlines())


def test_a_legend_appears_only_when_something_has_a_label_and_it_is_wanted():
    _, (bare, with_label, unwanted) = plt.subplots(1, 3)
    bare.plot([0, 1])
    with_label.plot([0, 1], label="training")
    unwanted.plot([0, 1], label="training")
    assert labelled(bare).get_legend() is None
    assert labelled(unwanted, legend=False).get_legend() is None
    (text,) = labelled(with_label).get_legend().get_texts()
    assert text.get_text() == "training"


def test_plots_are_not_shown_at_once_and_no_setting_changes(monkeypatch):
    monkeypatch.setattr(plt, "show", lambda *_, **__: pytest.fail("plt.show was called"))
    before = dict(mpl.rcParams)
    labelled(display_image(np.zeros(784)))
    display_digits(np.zeros((2, 784)), ["a", "b"])
    assert dict(mpl.rcParams) == before


def test_importing_the_package_does_not_import_matplotlib():
    code = "import sys, hw_support; sys.exit('matplotlib' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0


def test_the_package_never_imports_the_staff_package():
    for path in (ROOT / "hw_support").glob("*.py"):
        assert "import hw_grading" not in path.read_text(encoding="utf-8")
        assert "from hw_grading" not in path.read_text(encoding="utf-8")
