"""Settings of this process that a run changes and restores: GC, Ctrl-C, gradebook connections."""

import contextlib
import gc
import signal
import threading
from collections.abc import Iterator
from typing import Any

from nbgrader import api

# Thresholds for `gc.set_threshold`, which make full collections rare: a full collection takes
# longer with each graded submission.
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

    nbgrader opens and closes a gradebook six times for each submission. The shared engine caches
    compiled statements and keeps connections. Tables and course are looked for only once.
    """
    real, real_create_all = api.create_engine, api.Base.metadata.create_all
    real_inspect = api.inspect
    real_check_course = api.Gradebook.check_course
    engines: dict[tuple[str, str], Any] = {}

    def create(url: Any, **options: Any) -> Any:
        key = str(url), repr(sorted(options.items()))
        if key not in engines:
            # A connection may be lost while the loop waits for a submission.
            engines[key] = real(url, pool_pre_ping=True, **options)
            engines[key].dispose = lambda close=True: None  # a closed gradebook keeps it
        return engines[key]

    def create_all(bind: Any) -> None:
        if bind not in inspectors:
            real_create_all(bind=bind)
            inspectors[bind] = real_inspect(bind)

    def check_course(gradebook: api.Gradebook, course_id: str = "default_course") -> None:
        if (gradebook.engine, course_id) not in courses:
            real_check_course(gradebook, course_id)
            courses.add((gradebook.engine, course_id))

    inspectors: dict[Any, Any] = {}  # of engines; each remembers the names of all tables
    courses: set[tuple[Any, str]] = set()
    api.create_engine, api.Base.metadata.create_all = create, create_all
    api.inspect = lambda engine: inspectors.get(engine) or real_inspect(engine)
    api.Gradebook.check_course = check_course
    try:
        yield
    finally:
        api.create_engine, api.Base.metadata.create_all = real, real_create_all
        api.inspect = real_inspect
        api.Gradebook.check_course = real_check_course
        for engine in engines.values():
            del engine.dispose  # the class's own method is visible again
            engine.dispose()
