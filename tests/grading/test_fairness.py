"""A mistake costs points once in the whole notebook, in the part that tests it."""

import dataclasses
import re

import pytest
from answers import right_answers, wrong_answers
from cells import notebook_of
from guarded import judge
from harness import score_submission

HW0, HW2 = notebook_of("hw0"), notebook_of("hw2")
CHECKER = "my_nn_finite_difference_checker"
# Answers by function and name, and what they lose together in a whole notebook.
CHARGED_ONCE = [
    (
        [("backward_pass", "the caller's dL_dg is multiplied where it lies")],
        {"test_backward_pass": 1},
    ),
    (
        [("backward_pass", "gradients of the biases have shape (n, d)")],
        {"test_backward_pass": 1},
    ),
    (
        [("forward_pass", "the last layer's cache, as often as there are layers")],
        {"test_forward_pass": 1},
    ),
    *(  # Wrong sums in the caches do not hide that one is lost.
        (
            [("forward_pass", lost), ("layer_forward", "the bias is subtracted")],
            {"test_forward_pass": 1, "test_layer_forward": 3},
        )
        for lost in (
            "only the last cache is kept: append stands below the loop",
            "the last layer's cache, as often as there are layers",
        )
    ),
    (
        [(CHECKER, "right derivatives, and each entry stays moved by a step")],
        {f"test_{CHECKER}": 1},
    ),
    (
        [
            ("backward_pass", "the mean over the batch"),
            (CHECKER, "differences of the mean loss, of the shapes of the parameters"),
        ],
        {"test_backward_pass": 7},
    ),
    (
        [
            ("sigmoid_activation", "an if that only takes single numbers"),
            ("forward_pass", "a third result, and all callers know"),
        ],
        {"test_sigmoid_activation": 6, "test_forward_pass": 5},
    ),
    (
        [
            ("layer_forward", "the activation is applied to x W and to b apart"),
            ("forward_pass", "a linked list from the last layer"),
        ],
        {"test_layer_forward": 1},
    ),
    (
        [
            ("layer_forward", "the activation is applied to x W and to b apart"),
            (CHECKER, "forward_pass returns a named tuple, read by its name"),
        ],
        {"test_layer_forward": 1},
    ),
    (
        [
            ("backward_pass", "only the last layer"),
            ("logistic_loss", "the derivative comes first, and all callers know"),
        ],
        {"test_logistic_loss": 5, "test_backward_pass": 11},
    ),
    (
        [
            ("sigmoid_activation", "an if that only takes single numbers"),
            ("forward_pass", "ReLU and sigmoid, whatever is asked for"),
        ],
        {"test_sigmoid_activation": 6, "test_forward_pass": 3},
    ),
    (  # A wrong output does not hide a wrong derivative in the caches of layer_forward.
        [
            ("forward_pass", "the activation once more at the end"),
            ("backward_pass", "the derivative in the cache is that before the bias is added"),
        ],
        {"test_backward_pass": 11, "test_forward_pass": 3},
    ),
    (  # Caches of one row for the batch, and sums over the batch.
        [
            ("layer_forward", "the first example for all"),
            ("backward_pass", "the sum over the batch, compared with sums"),
        ],
        {"test_layer_forward": 3, "test_backward_pass": 7},
    ),
    # One of the two gives another layout, and its callers know.
    (
        [
            ("layer_forward", "the sum is divided by the number of inputs"),
            ("logistic_loss", "the derivative comes first, and all callers know"),
        ],
        {"test_layer_forward": 3, "test_logistic_loss": 5},
    ),
    (
        [
            ("layer_forward", "the bias is forgotten"),
            (CHECKER, "one list of all gradients, which q1_3a cuts"),
        ],
        {"test_layer_forward": 3, f"test_{CHECKER}": 7},
    ),
    (
        [
            ("logistic_loss", "(n, 1) against (n,) gives (n, n)"),
            ("backward_pass", "biases come first, and the comparison knows"),
        ],
        {"test_logistic_loss": 5, "test_backward_pass": 13},
    ),
    (
        [
            ("backward_pass", "the derivative of the activation is forgotten"),
            ("forward_pass", "the outputs of all layers, of which all callers take the last"),
        ],
        {"test_backward_pass": 11, "test_forward_pass": 3},
    ),
    (
        [
            ("forward_pass", "the output is flattened"),
            (CHECKER, "all moved networks at once, by stacks of matrices"),
        ],
        {"test_forward_pass": 3},
    ),
    ([(CHECKER, "the lists of weights and biases are emptied by pop")], {f"test_{CHECKER}": 1}),
    (  # Lists that a function empties do not hide that another one measures nothing.
        [
            (CHECKER, "only the activations are measured, and backward_pass has another name"),
            ("forward_pass", "the callers' lists are emptied by pop"),
        ],
        {f"test_{CHECKER}": 5, "test_forward_pass": 1},
    ),
]


def answer_named(function, name):
    kept = [*wrong_answers("hw2"), *right_answers("hw2")]
    (answer,) = (a for a in kept if (a.function, a.name) == (function, name))
    return answer


RIGHT_LAYER = next(a for a in right_answers("hw2") if a.function == "layer_forward")
ISOLATED = [False, pytest.param(True, marks=pytest.mark.slow)]


@pytest.mark.parametrize("isolated", ISOLATED)
@pytest.mark.parametrize(("wrong", "lost"), CHARGED_ONCE)
def test_one_mistake_costs_points_once_in_the_whole_notebook(wrong, lost, isolated):
    first, *others = (answer_named(*one) for one in wrong)
    cells = {name: source for other in others for name, source in other.cells.items()}
    answer = dataclasses.replace(first, others=cells)
    ((_, verdict),) = judge(HW2, [answer], isolated=isolated)
    assert verdict.lost == lost, [verdict.failed_parts(test) for test in verdict.lost]


# Wrong answers that show results, and what they lose together in a whole notebook.
SHOWN_WRONG = {
    "q1_3a": """\
fd_grad_Ws, fd_grad_bs = my_nn_finite_difference_checker(
    X_ref, y_ref, W_ref, b_ref, ref_activations
)
fd_grad_Ws = [grad.mean(axis=0) for grad in fd_grad_Ws]
fd_grad_bs = [grad.mean(axis=0) for grad in fd_grad_bs]
""",
    "q1_3d": HW2.cells["q1_3d"].source + "\nlargest_relative_error = min(errors)\n",
}


@pytest.mark.parametrize("isolated", [False, True])
@pytest.mark.parametrize("name", SHOWN_WRONG)
def test_wrong_results_that_another_answer_uses_cost_points_once(name, isolated):
    answer = dataclasses.replace(RIGHT_LAYER, others={name: SHOWN_WRONG[name]})
    ((_, verdict),) = judge(HW2, [answer], isolated=isolated)
    assert verdict.lost == {f"test_{name}": 2}


# Wrong functions, called by names and with options of the student's own, and what they lose.
OWN_OPTIONS = [
    (
        {
            "layer_forward": """\
def layer_forward(inp, weights, bias, act, index=0):
    out, slope = act(inp @ weights)
    return out, (inp, weights, slope)
""",
            "forward_pass": """\
def forward_pass(X_batch, weight_matrices, biases, activations):
    out, layer_caches = X_batch, []
    for i, (W, b, f) in enumerate(zip(weight_matrices, biases, activations)):
        out, cache = layer_forward(inp=out, weights=W, bias=b, act=f, index=i)
        layer_caches.append(cache)
    return out, layer_caches
""",
        },
        {"test_layer_forward": 3},
    ),
    (
        {
            "forward_pass": """\
def forward_pass(X, Ws, bs, acts, keep=True):
    caches = []
    for W, b, f in zip(Ws, bs, acts):
        X, cache = layer_forward(X, W, b, acts[0])
        caches.append(cache)
    return X, caches if keep else []
""",
            CHECKER: HW2.cells[CHECKER].source.replace(
                "parameters[layers:], activations",
                "parameters[layers:], acts=activations, keep=False",
            ),
        },
        {"test_forward_pass": 3},
    ),
]


@pytest.mark.parametrize("isolated", [False, True])
@pytest.mark.parametrize(("cells", "lost"), OWN_OPTIONS, ids=["layer_forward", "forward_pass"])
def test_stand_ins_are_called_by_names_and_with_options_of_the_students(cells, lost, isolated):
    answer = dataclasses.replace(RIGHT_LAYER, source="", others=cells)
    ((_, verdict),) = judge(HW2, [answer], isolated=isolated)
    assert verdict.lost == lost, [verdict.failed_parts(test) for test in verdict.lost]


@pytest.mark.parametrize("isolated", [False, True])
def test_gradients_of_layers_may_stand_in_an_array_of_objects(isolated):
    source = HW2.cells[CHECKER].source.replace(
        "return gradients[:layers], gradients[layers:]",
        """both = np.empty((2, layers), dtype=object)
    for i, gradient in enumerate(gradients):
        both.flat[i] = gradient
    return both""",
    )
    answer = dataclasses.replace(RIGHT_LAYER, source="", others={CHECKER: source})
    ((_, verdict),) = judge(HW2, [answer], isolated=isolated)
    assert not verdict.lost, verdict.failed_parts(f"test_{CHECKER}")


@pytest.mark.parametrize("scale", ["X.std(axis=0) + 1e-6", "np.sqrt(X.var(axis=0) + 1e-8)"])
def test_a_visible_part_of_hw0_shows_what_a_small_number_beside_a_small_spread_does(scale):
    cells = {"standardize": f"def standardize(X):\n    return (X - X.mean(axis=0)) / ({scale})\n"}
    result = score_submission(HW0, cells, tests=["test_standardize"])["test_standardize"]
    assert [part.what for part in result.parts if not part.passed] == [
        "three columns, and one",
        "fresh tables of other sizes",
    ]


# Losses of wrong shapes, how the checker reads them, and what logistic_loss loses.
OWN_LOSSES = [
    ("return loss", "[0].squeeze(axis=1)", 5),
    ("return loss[:, 0]", "[0]", 5),
    ("return loss.mean(), dL_dg", "[0]", 3),
]


@pytest.mark.parametrize(("result", "reads", "lost"), OWN_LOSSES)
def test_a_checker_gets_right_losses_of_the_shape_that_it_reads(result, reads, lost):
    checker, loss = (HW2.cells[name].source for name in (CHECKER, "logistic_loss"))
    cells = {
        "logistic_loss": loss.replace("return loss, dL_dg", result),
        CHECKER: checker.replace(
            "np.ravel(logistic_loss(g, y_batch)[0])", f"logistic_loss(g, y_batch){reads}"
        ),
    }
    answer = dataclasses.replace(RIGHT_LAYER, source="", others=cells)
    ((_, verdict),) = judge(HW2, [answer])
    assert verdict.lost == {"test_logistic_loss": lost}


@pytest.mark.timeout(3600)
@pytest.mark.slow
def test_a_wrong_sigmoid_takes_no_point_from_a_training_that_relies_on_it():
    answer = answer_named("sigmoid_activation", "the sign of the exponent is lost")
    tests = (*HW2.quick_tests, "test_train")
    scores = score_submission(HW2, answer.cells, tests=tests)
    assert {test: result.lost for test, result in scores.items() if result.lost} == {
        "test_sigmoid_activation": 4
    }


def test_a_training_with_the_sizes_written_out_loses_nothing_beside_wrong_biases():
    made = "create_bias_vectors([784, 200, 1])\n"
    shaped = "    bs = [b.reshape(1, d) for b, d in zip(bs, (200, 1))]\n"
    cells = answer_named("create_bias_vectors", "a row for each input").cells
    cells |= {"train": HW2.cells["train"].source.replace(made, made + shaped)}
    scores = score_submission(HW2, cells, tests=["test_train"])
    assert scores["test_train"].lost == 0, scores["test_train"].failed_parts


TRAINED_BY_MEANS = """\
def train(step_size=0.1, epochs=5, rng=rng, after_step=None):
    images, test_images = X_train.reshape(-1, 784), X_test.reshape(-1, 784)
    Ws, bs = create_weight_matrices([784, 200, 1]), create_bias_vectors([784, 200, 1])
    histories = [[] for _ in range(4)]

    def look(x, y, *histories):
        g, caches = forward_pass(x, Ws, bs, [relu_activation, sigmoid_activation])
        loss, dL_dg = logistic_loss(g, y)
        for history, number in zip(histories, (np.mean(loss), np.mean((g[:, 0] > 0.5) == y))):
            history.append(number)
        return dL_dg, caches

    for _ in range(epochs):
        order = rng.permutation(len(images))
        for i in range(0, len(order), 100):
            batch = order[i : i + 100]
            grads = backward_pass(*look(images[batch], y_train[batch], *histories[:2]))
            for parameters, gradients in zip((Ws, bs), grads):
                for layer in range(2):
                    parameters[layer] = parameters[layer] - step_size * gradients[layer]
            look(test_images, y_test, *histories[2:])
            if after_step is not None:
                after_step(Ws, bs)
    return Ws, bs, *histories


weight_matrices, biases, training_loss, training_acc, test_loss, test_acc = train()
"""


@pytest.mark.timeout(3600)
@pytest.mark.slow
def test_a_wrong_sigmoid_takes_no_point_from_a_training_by_a_backward_pass_that_gives_means():
    cells = {"train": TRAINED_BY_MEANS}
    cells |= answer_named("sigmoid_activation", "the sign of the exponent is lost").cells
    cells |= answer_named("backward_pass", "the mean over the batch").cells
    scores = score_submission(HW2, cells, tests=["test_train"])
    assert scores["test_train"].lost == 0, scores["test_train"].failed_parts


@pytest.mark.timeout(3600)
@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "part"),
    [
        ("accuracies in percent", "the run: four lists with an entry for each step"),
        ("trained on both sets", "nothing is learnt from test images"),
    ],
)
def test_a_mistake_in_a_training_costs_the_part_about_it(name, part):
    ((_, verdict),) = judge(HW2, [answer_named("train", name)])
    assert part in " ".join(verdict.failed_parts("test_train"))
    assert verdict.lost["test_train"] <= 2


def test_notes_about_results_tell_true_causes_and_digits_that_differ():
    wrong = answer_named(
        "layer_forward", "b is taken for a column where the batch is as large as the layer"
    )
    scores = score_submission(HW2, wrong.cells, tests=["test_q1_3c", "test_q1_3d"])
    told = " ".join(result.printed for result in scores.values())
    own, right = re.search(r"reference_loss is (\S+); right functions give (\S+)\.", told).groups()
    assert own != right
    assert "backward_pass, the checker or a function that they call is wrong" in told
