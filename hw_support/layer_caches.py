"""Whether a forward pass returns a cache for each layer, whatever the caches are."""

from collections.abc import Callable, Iterable

from hw_support.compare import expect


def expect_own_caches(forward: Callable[[], Iterable[object]], *, layers: int) -> None:
    """Expect a cache for each of the layers in each call, and none of an earlier call.

    `forward` makes a call and returns the output and the caches. Only lists and tuples are looked
    at. None may stand before the caches, or for each of them. `Mismatch` if a second list is longer
    than the first, or if None stands for some of the caches.
    """
    counts = []
    for _ in range(2):
        _, came = forward()
        if not isinstance(came, list | tuple):
            return
        there = sum(cache is not None for cache in came)
        lacking = 0 < there < layers <= len(came)
        expect(not lacking, f"None came in place of a cache: {there} came for {layers} layers")
        counts.append(len(came))
    expect(
        counts[1] <= counts[0],
        f"{counts[0]} caches came, and {counts[1]} at the next call: those of earlier calls too",
    )
