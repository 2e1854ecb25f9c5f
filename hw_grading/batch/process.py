"""Settings of its own process that a run changes and restores: GC, Ctrl-C, the gradebook."""

import contextlib
import gc
import signal
import threading
from collections.abc import Iterator
from typing import Any

from nbgrader import api

# Thresholds for `gc.set_threshold`. A full collection takes longer the more submissions were
# graded, so it is made rare.
_SELDOM = 10_000, 20, 50


@contextlib.contextmanager
def rare_collections() -> Iterator[None]:
    """Make full garbage collections rare, and exclude the course and all modules from them."""
    before = gc.get_threshold()
    gc.freeze()
    gc.set_threshold(*_SELDOM)
    try:
        yield
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()


@contextlib.contextmanager
def quiet_interrupt() -> Iterator[None]:
    """Let Ctrl-C and SIGTERM end the program and its processes at once, without a traceback.

    A handler that the program has set itself, such as a server's, stays.
    """

    def end(number: int, _: object) -> None:
        raise SystemExit(128 + number)

    usual: dict[int, Any] = {
        signal.SIGINT: signal.default_int_handler,
        signal.SIGTERM: signal.SIG_DFL,
    }
    ours = [number for number, handler in usual.items() if signal.getsignal(number) is handler]
    if threading.current_thread() is not threading.main_thread():
        ours = []
    for number in ours:
        signal.signal(number, end)
    try:
        yield
    finally:
        for number in ours:
            signal.signal(number, usual[number])


@contextlib.contextmanager
def one_engine() -> Iterator[None]:
    """Let all gradebooks that nbgrader opens share one engine for each address.

    It caches compiled statements and keeps connections. The tables are looked for only once.
    """
    real, real_create_all = api.create_engine, api.Base.metadata.create_all
    engines: dict[tuple[str, str], Any] = {}

    def create(url: Any, **options: Any) -> Any:
        key = str(url), repr(sorted(options.items()))
        if key not in engines:
            engines[key] = real(url, **options)
        return engines[key]

    def create_all(bind: Any) -> None:
        if bind not in complete:
            real_create_all(bind=bind)
            complete.add(bind)

    complete: set[Any] = set()
    api.create_engine, api.Base.metadata.create_all = create, create_all
    try:
        yield
    finally:
        api.create_engine, api.Base.metadata.create_all = real, real_create_all
        for engine in engines.values():
            engine.dispose()
