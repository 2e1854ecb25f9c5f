"""Whether a forward pass returns a cache for each layer, whatever the caches are."""

from collections.abc import Callable, Iterable

from hw_support.compare import expect


def expect_own_caches(forward: Callable[[], Iterable[object]], *, layers: int) -> None:
    """Expect a cache for each of the layers in each call, and none of an earlier call.

    `forward` makes a call and returns the output and the caches. Only lists and tuples are checked.
    None may precede the caches, or replace all of them. `Mismatch` if a second list is longer than
    the first, or if None replaces some of the caches.
    """
    counts = []
    for _ in range(2):
        _, came = forward()
        if not isinstance(came, list | tuple):
            return
        there = sum(cache is not None for cache in came)
        lacking = 0 < there < layers <= len(came)
        expect(
            not lacking, f"{there} caches were returned for {layers} layers, and None for others"
        )
        counts.append(len(came))
    expect(
        counts[1] <= counts[0],
        f"the first call returned {counts[0]} caches and the next one {counts[1]}: it returns "
        "those of earlier calls too",
    )
