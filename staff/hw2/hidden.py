"""Shared code of the hidden tests: activations, stand-ins for called functions, random networks.

A bug costs points once. So if a part fails with the student's functions, it runs again with right
versions of the functions that the tested function calls (`Checks.tries`). Only the student's
`backward_pass` can read the student's caches. So stand-ins return right outputs with the student's
own caches.
"""

import contextlib
import functools
import io
import itertools
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from hw_support import (
    Checks,
    Mismatch,
    TrainingWatch,
    assert_close,
    expect,
    expect_answer,
    expect_different_caches,
    expect_means,
    expect_own_caches,
    load_reference_batch,
    results_of,
)
from hw_support.earlier import are_kept
from hw_support.notebook_access import notebook_of
from hw_support.time_limit import TimeLimitReached
from staff.hw2 import fresh, reference

Array = npt.NDArray[Any]


def bent(s: Array) -> tuple[Array, Array]:
    """Return a smooth activation that no course teaches, and its derivative."""
    return np.tanh(s) + 0.5 * s, 1.5 - np.tanh(s) ** 2


def squashed(s: Array) -> tuple[Array, Array]:
    """Return numbers well inside (0, 1), to stand for probabilities, and their derivative.

    It uses arctan, whose slope falls slowly, so differences are accurate for large inputs too.
    """
    return 0.5 + 0.25 * np.arctan(s), 0.25 / (1.0 + s**2)


def lying(activation: reference.Activation) -> reference.Activation:
    """Return the activation with a wrong derivative, which code that measures does not notice."""
    return lambda s: (activation(s)[0], np.full_like(s, 7.0))


# -- stand-ins


def let_limits_through(error: BaseException) -> None:
    """Raise an error again if it ends a part or a cell. Student code raises all others."""
    if isinstance(error, KeyboardInterrupt | TimeLimitReached):
        raise error


SECONDS, SECONDS_IN_ALL = 1.0, 10.0  # CPU and wall-clock seconds for a call of a student's function


class OwnFunction:
    """A function of the student's that a stand-in calls.

    Parameters
    ----------
    names
        Of the test cell.
    name
        The function's.

    Notes
    -----
    Each call has a time limit. After a time-out the function is not called again. So the tested
    function loses no points for it, and time is left for the rest of the test.
    """

    def __init__(self, names: dict[str, Any], name: str) -> None:
        self.function: Any = names.get(name)
        self._notebook = notebook_of(names)
        self._is_endless = False

    def __call__(self, *arguments: Any) -> Any:
        """Call it."""
        return self._limited(self.function, *arguments)

    def undoing(self, *arguments: Any) -> Any:
        """Call it, and undo what it does to the arrays that it is given."""
        return self._limited(self._notebook.undoing, self.function, *arguments)

    def earlier(self, first: Sequence[Any], second: Sequence[Any]) -> Any:
        """Call it twice; return the first result's arrays as they are after each call."""
        return self._limited(self._notebook.earlier, self.function, first, second)

    def _limited(self, call: Any, *arguments: Any) -> Any:
        expect(not self._is_endless, "an endless function")
        try:
            with self._notebook.limited(SECONDS, SECONDS_IN_ALL):
                return call(*arguments)
        except TimeLimitReached:
            self._is_endless = True
            raise Mismatch("an endless function", "an endless function") from None


def layer_with_own_cache(
    names: dict[str, Any], *, as_it_is: bool = False
) -> Callable[..., tuple[Array, Any]]:
    """Return a right layer_forward whose caches are made by the student's own.

    The student's function is called with an activation that gives the right values for any input
    and under any name, so a mistake in the sum does not reach the cache. Its changes to its inputs
    are undone, because the cache may hold them. If it fails, the reference's cache is returned. If
    all calls fill the same object, copies are returned: that mistake has cost a point in the test
    of layer_forward.

    If `as_it_is` and its output is right, the function gets the real activation. The test of
    layer_forward then finds no mistake. So a derivative at a wrong place still has to cost points,
    in the test that reads the cache.
    """
    own, notebook = OwnFunction(names, "layer_forward"), notebook_of(names)
    overwrites = functools.cache(lambda: overwrites_caches(own))

    def layer(x: Array, W: Array, b: Array, activation_fn: Any) -> tuple[Array, Any]:
        kept = notebook.copy_of if overwrites() else lambda cache: cache
        right, cache = reference.layer_forward(x, W, b, activation_fn)
        frozen = frozen_activation(activation_fn, right, cache["slope"])
        copies = [np.array(x), np.array(W), np.array(b)]
        usual = dict.fromkeys(("relu_activation", "sigmoid_activation"), frozen)
        try:
            if as_it_is:
                own_out, own_cache = own.undoing(*copies, activation_fn)
                assert_close(own_out, right, rtol=1e-6, atol=1e-9)
                return right, kept(own_cache)
        except BaseException as error:
            let_limits_through(error)
        try:
            with notebook.replaced(layer_forward=own.function, **usual):
                _, own_cache = own.undoing(*copies, frozen)
        except BaseException as error:
            let_limits_through(error)
            return right, cache
        return right, kept(own_cache)

    return layer


def overwrites_caches(layer_forward: OwnFunction) -> bool:
    """Whether the student's layer_forward changes arrays that an earlier call has returned."""
    x, W, b = np.array([[1.0, 2.0]]), np.array([[0.5, -1.0], [1.5, 0.25]]), np.array([[0.25, -0.5]])
    try:
        return not are_kept(*layer_forward.earlier([x, W, b, bent], [-x, 2 * W, b + 1.0, bent]))
    except BaseException as error:
        let_limits_through(error)
        return False


def forward_with_own_caches(
    names: dict[str, Any], layer: Callable[..., tuple[Array, Any]], *, frozen: bool = False
) -> Callable[..., tuple[Array, Any]]:
    """Return a right forward_pass: the student's where it is right, else `layer` in a chain.

    The chain is also used if the student's forward_pass returns too few caches, or caches of
    earlier calls too. That has cost points in its own test. It is not checked whether backward_pass
    can read the returned caches. If all caches are that of the last layer, a chain of calls of the
    student's function with one layer is used: so caches that are made there keep their layout.

    If `frozen`, a student's function with a wrong output is called again with activations that give
    the right values of their layers for any input. So a mistake in a sum inside forward_pass does
    not reach caches that are made there. If it calls layer_forward, the caches are made in that
    one, and the chain is used.
    """
    own = OwnFunction(names, "forward_pass")

    def of_student(
        right: Array, X_batch: Array, weight_matrices: Any, biases: Any, activations: Any
    ) -> tuple[Array, Any]:
        Ws, bs = ([np.array(p) for p in ps] for ps in (weight_matrices, biases))
        with notebook_of(names).replaced(forward_pass=own.function):  # which may call itself
            output, caches = own(X_batch.copy(), Ws, bs, list(activations))
        assert_close(output, right)
        expect(caches is not None, "it returned no caches")
        if isinstance(caches, list | tuple) and len(caches) < len(weight_matrices):
            # One tuple of three lists, for example, has an entry for each kind of array.
            expect(len(caches) == entries_for_two_layers() > 1, "it returned too few caches")
        return output, caches

    @functools.cache
    def entries_for_two_layers() -> int:
        one = np.array([[1.0]])
        return len(own(one, [one, one], [one, one], [bent, bent])[1])

    @functools.cache
    def cost_a_point_for_caches() -> bool:
        X, W, b = np.array([[1.0]]), np.array([[0.5]]), np.array([[0.25]])
        network = X, [W, W], [b, b], [bent, bent]
        right, came = reference.forward_pass(*network)[0], []
        try:
            came = [of_student(right, *network)[1]]
            expect_own_caches(lambda: of_student(right, *network), layers=2)
        except BaseException as error:
            let_limits_through(error)
            return bool(came)
        return False

    @functools.cache
    def loses_caches() -> bool:
        W, b = np.array([[0.5]]), np.array([[0.25]])

        def network() -> tuple[Any, Any, Any, Any]:
            return np.array([[1.0]]), [W, W], [b, b], [bent, bent]

        def of_own(*arguments: Any) -> tuple[Array, Any]:
            return of_student(reference.forward_pass(*arguments)[0], *arguments)

        try:
            of_own(*network())
        except BaseException as error:
            let_limits_through(error)
            return False
        try:
            expect_different_caches(of_own, network)
        except Mismatch:
            return True
        except BaseException as error:
            let_limits_through(error)
        return False

    def one_layer(x: Array, W: Array, b: Array, activation_fn: Any) -> tuple[Array, Any]:
        right, _ = reference.layer_forward(x, W, b, activation_fn)
        _, caches = of_student(right, x, [W], [b], [activation_fn])
        return right, notebook_of(names).copy_of(caches[0])

    def refuse(*_: Any, **__: Any) -> tuple[Array, Any]:
        raise Mismatch("layer_forward is called", "caches made without it")

    def forward(
        X_batch: Array, weight_matrices: Any, biases: Any, activations: Any
    ) -> tuple[Array, Any]:
        network = X_batch, weight_matrices, biases, activations
        right, _ = reference.forward_pass(*network)
        if loses_caches():
            return reference.chain(one_layer, *network)
        tries = [(activations, layer), (frozen_activations(*network), refuse)][: 1 + frozen]
        for functions, own_layer in [] if cost_a_point_for_caches() else tries:
            try:
                with notebook_of(names).replaced(layer_forward=own_layer):
                    return of_student(right, X_batch, weight_matrices, biases, functions)
            except BaseException as error:
                let_limits_through(error)
        return reference.chain(layer, *network)

    return forward


def with_own_caches(
    names: dict[str, Any], layer: Callable[..., tuple[Array, Any]]
) -> tuple[Callable[..., tuple[Array, Any]], Callable[..., Any]]:
    """Return a right forward_pass with the student's own caches, and a right backward_pass.

    The second one cannot read these caches: it uses those of the last call of the first one, for as
    many examples.
    """
    forward = forward_with_own_caches(names, layer)
    kept: list[tuple[int, Any]] = []  # numbers of examples, and the reference's caches

    def forward_pass(
        X_batch: Array, weight_matrices: Any, biases: Any, activations: Any
    ) -> tuple[Array, Any]:
        kept[1:] = []
        network = X_batch, weight_matrices, biases, activations
        kept.insert(0, (len(X_batch), reference.forward_pass(*network)[1]))
        return forward(*network)

    def backward_pass(dL_dg: Array, layer_caches: Any) -> Any:
        mine = next((caches for n, caches in kept if n == len(dL_dg)), None)
        expect(mine is not None, "backward_pass was called before forward_pass")
        return reference.backward_pass(np.reshape(dL_dg, (-1, 1)), mine)  # type: ignore[arg-type]

    return forward_pass, backward_pass


def frozen_activations(
    X_batch: Array, weight_matrices: Any, biases: Any, activations: Any
) -> list[reference.Activation]:
    """Return for each layer a function that gives the layer's right values, whatever its input."""
    functions, out = [], X_batch
    for W, b, activation in zip(weight_matrices, biases, activations, strict=True):
        out, cache = reference.layer_forward(out, W, b, activation)
        functions.append(frozen_activation(activation, out, cache["slope"]))
    return functions


def frozen_activation(
    activation: reference.Activation, right: Array, slope: Array
) -> reference.Activation:
    """Return a function that gives copies of these arrays, whatever it is applied to.

    For inputs of another shape, such as rows or single numbers, it calls `activation`.
    """

    def frozen(s: Array) -> tuple[Array, Array]:
        if np.shape(s) != np.shape(right):
            out, own_slope = activation(s)
            return out, own_slope
        return right.copy(), np.copy(slope)

    return frozen


def stand_ins_for_forward(checks: Checks) -> None:
    """Register right functions for forward_pass, with caches of the student's layer_forward.

    A wrong forward_pass may call the activations itself, and then their mistakes cost nothing here.
    """
    checks.stand_ins(
        1_000,
        layer_forward=layer_with_own_cache(checks.names),
        relu_activation=reference.relu_activation,
        sigmoid_activation=reference.sigmoid_activation,
    )


def stand_ins_for_backward(checks: Checks) -> None:
    """Register functions that give backward_pass right outputs, and the student's own caches."""
    layer = layer_with_own_cache(checks.names, as_it_is=True)
    forward = forward_with_own_caches(checks.names, layer)
    checks.stand_ins(2_000, layer_forward=layer, forward_pass=forward)
    guessed = layer_with_guessed_cache(checks.names)
    checks.stand_ins(
        2_000,
        layer_forward=guessed,
        forward_pass=functools.partial(reference.chain, guessed),
    )
    checks.stand_ins(
        2_000,
        layer_forward=layer,
        forward_pass=forward_with_own_caches(checks.names, layer, frozen=True),
    )


def stand_ins_for_biases(checks: Checks) -> None:
    """Register a right create_weight_matrices, which create_bias_vectors may call."""
    draw = np.random.default_rng()
    checks.stand_ins(
        1_000,
        create_weight_matrices=lambda layer_dims: [
            draw.normal(0.0, 0.01, shape) for shape in itertools.pairwise(layer_dims)
        ],
    )


def layer_is_right(layer_forward: Any) -> bool:
    """Whether the student's layer_forward gives a right output and a second result."""
    x, b = np.array([[1.0, 2.0], [-3.0, 0.5]]), np.array([[0.25, -0.5, 1.0]])
    W = np.array([[0.5, -1.0, 2.0], [1.5, 1.0, 0.25]])
    try:
        out, _ = layer_forward(x.copy(), W.copy(), b.copy(), bent)
        assert_close(out, reference.layer_forward(x, W, b, bent)[0], rtol=1e-6)
    except BaseException as error:
        let_limits_through(error)
        return False
    return True


def layer_with_guessed_cache(names: dict[str, Any]) -> Callable[..., tuple[Array, Any]]:
    """Return a right layer_forward whose caches are tuples that the student's backward_pass reads.

    It is for students whose layer_forward is wrong, because its caches may be wrong too. It tries
    tuples of possible contents on one layer, the usual ones first, and takes the first with which
    backward_pass is right, or gives the right mean or sum over the batch.
    """
    own = OwnFunction(names, "layer_forward")

    def pieces(x: Array, W: Array, b: Array, activation_fn: Any) -> dict[str, Array]:
        s = x @ W + b
        out, slope = activation_fn(s)
        return {"x": np.array(x), "W": np.array(W), "slope": slope, "b": b, "s": s, "out": out}

    @functools.cache
    def search() -> tuple[str, ...]:
        if layer_is_right(own):
            return ()
        draw = np.random.default_rng(0)
        X, W, b = draw.uniform(1, 2, (2, 3)), draw.uniform(1, 2, (3, 1)), np.array([[0.5]])
        upstream = np.array([[1.0], [-2.0]])
        right, _ = reference.backward_pass(upstream, [reference.layer_forward(X, W, b, bent)[1]])
        parts = pieces(X, W, b, bent)
        for names_of_parts in itertools.chain(
            *(itertools.permutations(parts, k) for k in range(2, 6))
        ):
            try:
                cache = tuple(parts[name].copy() for name in names_of_parts)
                expect_means(names["backward_pass"](upstream.copy(), [cache])[0], right, what="")
            except BaseException as error:
                let_limits_through(error)
            else:
                return names_of_parts
        return ()

    def layer(x: Array, W: Array, b: Array, activation_fn: Any) -> tuple[Array, Any]:
        found = search()
        parts = pieces(x, W, b, activation_fn)
        return parts["out"], tuple(parts[name] for name in found)

    return layer


def stand_ins_for_differences(checks: Checks) -> None:
    """Register right functions for my_nn_finite_difference_checker."""
    right = [reference.relu_activation, reference.sigmoid_activation]
    functions: dict[str, Any] = {
        "layer_forward": reference.layer_forward,
        "forward_pass": reference.forward_pass,
        "logistic_loss": loss_shaped_like(OwnFunction(checks.names, "logistic_loss")),
        "relu_activation": right[0],
        "sigmoid_activation": right[1],
        "ref_activations": right,
    }
    checks.stand_ins(20_000, **functions)
    checks.stand_ins(20_000, **without_forward_pass(functions, reference.layer_forward))
    del functions["logistic_loss"]  # whose own results may come in another order
    checks.stand_ins(20_000, **functions)


def stand_ins_for_deliverables(checks: Checks, *answers: str) -> None:
    """Register right functions for answers that only call the student's functions.

    If those functions have no answer, the deliverable has no result. `answers` are the names that
    it binds. In a last try they keep their values: functions that return their results in another
    order or layout, or one result more, have cost points, and a deliverable that takes the right
    one of them cannot run with right functions.
    """
    checks.unanswered = functools.partial(why_no_answer, checks)
    right, layer = right_functions(), layer_with_own_cache(checks.names)
    checks.stand_ins(5_000, **right)
    checks.stand_ins(5_000, **without_forward_pass(right, layer))
    # A function that gives another layout has cost points. Beside it another one may be wrong.
    forward, backward = with_own_caches(checks.names, layer)
    right_beside = right | {"layer_forward": layer, "forward_pass": forward}
    gradients = "backward_pass", "my_nn_finite_difference_checker"
    without = {name: f for name, f in right_beside.items() if name not in gradients}
    for own in ("logistic_loss", "forward_pass"):
        checks.stand_ins(5_000, [own], **without)
    for others in [("logistic_loss",), gradients, ("forward_pass", *gradients)]:
        checks.stand_ins(5_000, others, **right_beside | {"backward_pass": backward})
    keep_answers(checks, right, *answers)


def stand_ins_for_measured(checks: Checks) -> None:
    """Register right functions for q1_3a.

    In the last try only the checker is right: its test looks at what backward_pass gives.
    """
    stand_ins_for_deliverables(checks)
    right = right_functions()["ref_activations"]

    def measured(X: Array, y: Array, Ws: Any, bs: Any, activations: Any) -> Gradients:
        return reference.differences(X, y, Ws, bs, right)

    checker = {"my_nn_finite_difference_checker": measured}
    keep_answers(checks, checker, "fd_grad_Ws", "fd_grad_bs")


def stand_ins_for_comparison(checks: Checks) -> None:
    """Register right functions for q1_3d, and then right gradients by differences too.

    A mistake in them is charged in q1_3a.
    """
    stand_ins_for_deliverables(checks, "bp_grad_Ws", "bp_grad_bs")
    right = right_functions()
    grad_Ws, grad_bs = reference.differences(*load_reference_batch(), right["ref_activations"])
    checks.stand_ins(5_000, **right, fd_grad_Ws=grad_Ws, fd_grad_bs=grad_bs)


def without_forward_pass(functions: dict[str, Any], layer: Any) -> dict[str, Any]:
    """Return the functions that forward_pass calls, and logistic_loss, for a further try.

    So a mistake in one of them costs nothing in code that reads what the student's forward_pass
    returns in a layout of its own. `layer` stands in for layer_forward.
    """
    names = "relu_activation", "sigmoid_activation", "logistic_loss", "ref_activations"
    return {"layer_forward": layer} | {name: functions[name] for name in names}


def keep_answers(checks: Checks, functions: dict[str, Any], *answers: str) -> None:
    """Register right functions for a try in which these names keep the values that they have."""
    bound = {name: checks.names[name] for name in answers if name in checks.names}
    if bound:
        checks.stand_ins(5_000, **functions, **bound)


def right_functions() -> dict[str, Any]:
    """Return right functions for answers that only call the student's functions, by name."""
    right = [reference.relu_activation, reference.sigmoid_activation]
    return {
        "layer_forward": reference.layer_forward,
        "forward_pass": reference.forward_pass,
        "backward_pass": reference.backward_pass,
        "my_nn_finite_difference_checker": reference.differences,
        "logistic_loss": reference.logistic_loss,
        "relu_activation": right[0],
        "sigmoid_activation": right[1],
        "ref_activations": right,
    }


_NO_ANSWER = ("None", "everywhere", "a single number")  # in messages of `expect_answer`


def holds_nothing(value: Any, deepest: int = 5) -> bool:
    """Whether a result, with its collections, is text, functions, or nothing at all.

    Other objects, and a dictionary of them, may hold numbers in another layout.
    """
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list | tuple) and deepest:
        return all(holds_nothing(entry, deepest - 1) for entry in value)
    is_empty = isinstance(value, np.ndarray) and not value.size
    return value is None or isinstance(value, str) or callable(value) or is_empty


def why_no_answer(checks: Checks, name: str) -> str:
    """Say why a student's function does not count as an answer; "" if it does, right or wrong.

    It is tried with right functions around it, on inputs for which no two results are the same. It
    does not count if it is missing, raises NotImplementedError, gives None, or gives the same
    number everywhere.
    """
    names, notebook = checks.names, checks.notebook
    if not callable(names.get(name)):
        return f"{name} is missing or is not a function"
    layer = layer_with_own_cache(names)
    right: dict[str, Any] = {
        "layer_forward": reference.layer_forward,
        "relu_activation": reference.relu_activation,
        "sigmoid_activation": reference.sigmoid_activation,
        "logistic_loss": reference.logistic_loss,
        "forward_pass": reference.forward_pass,
    }
    if name == "backward_pass":  # which reads the student's own caches
        right |= {"layer_forward": layer, "forward_pass": forward_with_own_caches(names, layer)}
    if name == "my_nn_finite_difference_checker":  # large gradients, which are not rounded to 0
        right["logistic_loss"] = lambda g, y: (100.0 * g, 50.0 * g**2)
    right.pop(name, None)
    draw = np.random.default_rng(0)
    half, Ws, bs = fresh.network(draw, [4, 3, 1], 3)
    X = np.concatenate([half, -half])  # without biases: outputs on both sides of 0.5
    network = X, [*Ws], [0.0 * b for b in bs], [bent, squashed]
    g, y = np.linspace(0.1, 0.8, 6)[:, None], np.arange(6) % 2

    def first(came: Any) -> Any:
        return came if isinstance(came, dict) else (results_of(came) or [[]])[0]

    def result() -> Any:
        function = names[name]
        match name:
            case "sigmoid_activation":
                return first(function(X))
            case "logistic_loss":
                return [first(function(g[k:], y[k:])) for k in (0, 3)]
            case "forward_pass":
                return [first(function(x, *network[1:])) for x in (X[:3], X[3:])]
            case "backward_pass":
                return function(np.cos(g), names["forward_pass"](*network)[1])
        return function(X, y, *network[1:])

    came: Any = 0.0
    silent = contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO())
    try:
        with (
            silent[0],
            silent[1],
            notebook.replaced(**right),
            notebook.limited(SECONDS, SECONDS_IN_ALL),
        ):
            came = result()
            expect_answer(came, of=name)
    except NotImplementedError:
        return f"{name} is not answered yet (NotImplementedError)"
    except Mismatch as mismatch:
        said = str(mismatch)
        is_none = any(word in said for word in _NO_ANSWER) or holds_nothing(came)
        return said if said.startswith(name) and is_none else ""
    except KeyboardInterrupt:
        raise
    except BaseException:
        return ""  # it is there, and fails
    return ""


UNITS = 20  # of the network that stands in: gradients of each example stay small


def stand_ins_for_training(checks: Checks, watch: TrainingWatch) -> None:
    """Register right functions for train: all that it may call, with the student's own caches.

    Networks are judged by right functions in each try.
    """
    watch.judges = {
        "forward_pass": quick_forward_pass,
        "logistic_loss": quick_loss,
        "relu_activation": reference.relu_activation,
        "sigmoid_activation": reference.sigmoid_activation,
    }
    names = checks.names
    layer = layer_with_own_cache(names)
    forward_pass, backward_pass = with_own_caches(names, layer)
    draw = np.random.default_rng()
    functions: dict[str, Any] = {
        "layer_forward": layer,
        "logistic_loss": loss_shaped_like(
            OwnFunction(names, "logistic_loss"), reference.logistic_loss
        ),
        "relu_activation": reference.relu_activation,
        "sigmoid_activation": reference.sigmoid_activation,
        "create_weight_matrices": lambda layer_dims: [
            draw.normal(0.0, 0.01, shape) for shape in ((layer_dims[0], UNITS), (UNITS, 1))
        ],
        # Above 0, so that no image finds all units dead.
        "create_bias_vectors": lambda layer_dims: [np.full((1, UNITS), 0.05), np.zeros((1, 1))],
    }
    checks.stand_ins(100_000, **functions, forward_pass=forward_pass, backward_pass=backward_pass)
    # For a train that reads results of another kind or layout, such as mean gradients.
    checks.stand_ins(100_000, **functions)
    # For a train with the sizes of the network written out.
    functions |= {
        "create_weight_matrices": lambda layer_dims: [
            draw.normal(0.0, 0.01, shape) for shape in itertools.pairwise(layer_dims)
        ],
        "create_bias_vectors": lambda layer_dims: [np.full((1, d), 0.05) for d in layer_dims[1:]],
    }
    checks.stand_ins(100_000, **functions, forward_pass=forward_pass, backward_pass=backward_pass)


def quick_forward_pass(
    X_batch: Array, Ws: Sequence[Array], bs: Sequence[Array], activations: Sequence[Any]
) -> tuple[Array, list[Any]]:
    """Return the output of the last layer, and no caches, by products of matrices."""
    out = X_batch
    for W, b, activation in zip(Ws, bs, activations, strict=True):
        out = activation(out @ W + b)[0]
    return out, []


def quick_loss(g: Array, y: Array) -> tuple[Array, None]:
    """Return the loss of each example, infinite where a probability is 0, and no derivative."""
    with np.errstate(divide="ignore"):
        return -np.log(np.where(y == 1, np.ravel(g), 1.0 - np.ravel(g))), None


Loss = Callable[[Array, Array], tuple[Array, Array]]


def loss_without_slope(g: Array, y: Array) -> tuple[Array, Array]:
    """Return right losses, with a derivative of NaN, which finite differences do not use."""
    loss, slope = reference.logistic_loss(g, y)
    return loss, np.full_like(slope, np.nan)


def loss_shaped_like(own: Any, right: Loss = loss_without_slope) -> Loss:
    """Return a right logistic_loss with losses (n,) or (n, 1), as the student's own has them.

    Code that takes a single number works with (n,).
    """
    try:
        flat = np.ndim(results_of(own(np.array([[0.5], [0.25]]), np.array([0, 1])))[0]) < 2
    except KeyboardInterrupt:
        raise
    except BaseException:
        flat = False

    def logistic_loss(g: Array, y: Array) -> tuple[Array, Array]:
        loss, slope = right(g, y)
        return (loss.ravel() if flat else loss), slope

    return logistic_loss


# -- comparisons


Gradients = tuple[list[Array], list[Array]]
NETWORKS = (([5], 6), ([5, 3], 6), ([5, 4, 3], 6), ([3, 2], 1), ([2, 4, 3, 3], 1))


def backward_results(names: dict[str, Any]) -> Iterator[tuple[Gradients, Gradients]]:
    """Run backward_pass on random networks of one to four layers, with one unit at the end.

    Returns
    -------
    iterator of (came, right)
        The two lists that came, and the right ones of each example.
    """
    for dims, examples in NETWORKS:
        draw = fresh.generator(f"backward_pass {dims} {examples}")
        X, weights, biases = fresh.network(draw, [*dims, 1], examples)
        upstream = fresh.apart_from_zero(draw, (examples, 1))
        network = X, weights, biases, [bent] * len(weights)
        right = reference.backward_pass(upstream, reference.forward_pass(*network)[1])
        copies = X.copy(), [W.copy() for W in weights], [b.copy() for b in biases], network[3]
        caches = names["forward_pass"](*copies)[1]
        yield pair_of(names["backward_pass"](upstream.copy(), caches)), right


def difference_results(
    names: dict[str, Any], dims: Sequence[int], examples: int
) -> tuple[Gradients, Gradients, float]:
    """Run my_nn_finite_difference_checker on a random network, with both labels.

    Returns
    -------
    came, right, atol
        The two lists that came, the right ones of each example, and how far an entry may be off.

    Raises
    ------
    Mismatch
        The network was evaluated too few times: the gradients were not measured.

    Notes
    -----
    A one-sided difference with h = 1e-5 has an error of h / 2 times the second derivative, which is
    at most a few hundred times the first here: the tolerance 1e-3 accepts both kinds, and every
    wrong formula has a larger error.
    """
    draw = fresh.generator(f"differences {dims} {examples}")
    X, weights, biases = fresh.network(draw, dims, examples)
    y, activations = fresh.labels(draw, examples), [bent] * (len(dims) - 2) + [squashed]
    g, caches = reference.forward_pass(X, weights, biases, activations)
    right = reference.backward_pass(reference.logistic_loss(g, y)[1], caches)
    liars = [lying(activation) for activation in activations]
    evaluated = 0  # outputs of networks

    def last(s: Array) -> tuple[Array, Array]:
        nonlocal evaluated
        evaluated += np.size(s)
        return lying(squashed)(s)

    # The biases alone: weights or biases may be missing, which costs points in their own part.
    least = examples * sum(b.size for b in biases)  # before student code can change the list
    came = names["my_nn_finite_difference_checker"](X, y, weights, biases, [*liars[:-1], last])
    expect(
        evaluated > 0,
        "it never calls the last function in the list activations, its argument. Does it measure "
        "the loss of another network?",
    )
    expect(
        evaluated >= least,
        f"it evaluates {evaluated} outputs of the network; differences of the loss need more than "
        f"{least} for this network",
    )
    scale = max(np.abs(gradient).max() for gradient in (*right[0], *right[1]))
    return pair_of(came), right, 1e-4 * float(scale)


def pair_of(came: Any) -> Gradients:
    """Expect the pair (grad_Ws, grad_bs); a further result, such as a gradient of X, is dropped."""
    two = came is not None and len(came) >= 2
    expect(two, "a pair (grad_Ws, grad_bs) was expected")
    return came[0], came[1]
