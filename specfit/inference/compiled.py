"""Programs: functions of a problem, compiled once and kept from one run to the next.

Tracing and lowering a density in Python takes as long as everything else that a run
does, and XLA's compiler three times as long.  So a program is compiled at most once in
a process for each shape of its arguments (in a thread before its first call, where
`ahead` asks for it), and what XLA made is written to a folder of the user's, from which
the next run takes it without tracing.  JAX's own cache would keep only the second half.

A kept program is found by all that could change it: the identity of the problem's
functions, the shapes, specfit's sources, the versions of the libraries, the processor
and XLA's flags.  Functions that cannot say who they are (a test's, a bridge's) are
compiled like any other and never kept; nor are programs that call a foreign library
other than LAPACK, whose calls jump to address zero until something that needs it has
been lowered in the process.  Results are put together by the structure in a JSON
header; nothing is unpickled.  A file that is
torn, altered or refused by XLA is compiled anew, with a line in the log.
"""

from __future__ import annotations

import functools
import logging
import re
import secrets
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from contextlib import suppress
from types import FunctionType, MethodType
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import NamedSharding

from specfit.contracts import Identified
from specfit.inference import shelf
from specfit.inference.placement import placed, placing
from specfit.inference.room import HOLDERS, make_room

OPTIONS = {"xla_cpu_use_fusion_emitters": False, "xla_cpu_scheduler_type": 1}
"""XLA's older emitters of fused loops compile in two thirds of the time; the code they
make runs as fast.  Scheduler 1 lays a program out for little memory, one step after
another, instead of sharing steps of microseconds out to threads: a gradient of the
density then costs a third of the processor's time, and chains keep the cores busy."""
THOROUGH = {"xla_cpu_scheduler_type": 1}
"""With the newer emitters a log-density alone, of which a batch asks thousands for a
spectrum, takes two thirds of the time."""
KEPT = 256
"""Programs that one process holds; the oldest is dropped first."""

_REFUSALS = (jax.errors.JaxRuntimeError, AttributeError, TypeError)
"""What a program of other versions of JAX or XLA may raise."""

_CALLS = re.compile(r"stablehlo\.custom_call @(\w+)")

_log = logging.getLogger(__name__)
Run = Callable[[list[Any]], Any]


class Program:
    """A function of `n_static` hashable arguments and of arrays, compiled.

    n_split: where not 0, the first so many array arguments have the chain as leading
    axis, which is shared out among the devices; so do all results.  options: XLA's.
    """

    def __init__(
        self,
        function: Callable[..., Any],
        n_static: int = 1,
        n_split: int = 0,
        options: Mapping[str, Any] = OPTIONS,
    ) -> None:
        self.function, self.n_static, self.n_split = function, n_static, n_split
        self.options = dict(options)
        self._made: dict[Any, Future[Run]] = {}
        self._named: dict[tuple[str, int], Run] = {}
        self._lock = threading.Lock()
        HOLDERS.add(self)

    def __call__(self, *arguments: Any) -> Any:
        """The function's result: dicts, tuples and lists of arrays."""
        static, leaves, tree = self._parted(arguments)
        return self._program(static, leaves, tree)(leaves)

    def prepare(self, *arguments: Any) -> None:
        """Compile for arguments of these shapes, if that is still to do."""
        self._program(*self._parted(arguments))

    def forget(self) -> None:
        """Drop what is compiled, but not what is being compiled."""
        with self._lock:
            self._made = {k: one for k, one in self._made.items() if not one.done()}
            self._named.clear()

    def _parted(self, arguments: Sequence[Any]) -> tuple[Any, list[Any], Any]:
        static, arrays = arguments[: self.n_static], arguments[self.n_static :]
        split = jax.tree.leaves(arrays[: self.n_split])
        leaves, tree = jax.tree.flatten(arrays)
        return (static, len(split)), leaves, tree

    def _program(self, static: Any, leaves: list[Any], tree: Any) -> Run:
        """The program for these shapes; waits where a thread is making it."""
        shapes = tuple((np.shape(x), _dtype(x)) for x in leaves)
        key = (static, shapes, tree)
        with self._lock:
            found = self._made.get(key)
            mine = found is None
            if found is None:
                found = self._made[key] = Future()
                if len(self._made) > KEPT:
                    self._made.pop(next(iter(self._made)))
        if mine:
            try:
                found.set_result(self._make(static[0], static[1], shapes, tree))
            except BaseException as error:
                with self._lock:
                    self._made.pop(key, None)
                found.set_exception(error)
        return found.result()

    def _make(self, static: Any, n_split: int, shapes: Any, tree: Any) -> Run:
        """That of a problem traced alike, or found on the shelf, or made."""
        name = self._name(static, shapes, tree)
        with self._lock:
            alike = self._named.get((name, n_split)) if name else None
        if alike is not None:
            return alike
        run = self._found(name, static, n_split, shapes, tree)
        if name:
            with self._lock:
                self._named[name, n_split] = run
                if len(self._named) > KEPT:
                    self._named.pop(next(iter(self._named)))
        return run

    def _found(
        self, name: str, static: Any, n_split: int, shapes: Any, tree: Any
    ) -> Run:
        """Found on the shelf, or made."""
        places = placing(n_split, len(shapes))

        def anew() -> Run:
            return self._new(name, static, places, shapes, tree)

        kept = shelf.take(name) if name else None
        return anew() if kept is None else _tried(lambda: _loaded(*kept, places), anew)

    def _new(self, name: str, static: Any, places: Any, shapes: Any, tree: Any) -> Run:
        """Traced, compiled, and put on the shelf."""
        make_room()

        def flat(*leaves: Any) -> Any:
            return self.function(*static, *jax.tree.unflatten(tree, leaves))

        # XLA cannot write out what JAX's own cache gave it: no name is there twice
        flat.__name__ = self.function.__name__ + (secrets.token_hex(8) if name else "")
        specs = [
            jax.ShapeDtypeStruct(shape, dtype, sharding=place)  # type: ignore[no-untyped-call]
            for (shape, dtype), place in zip(shapes, places, strict=True)
        ]
        lowered = jax.jit(flat, keep_unused=True).lower(*specs)
        compiled = _compiled(lowered, self.options)
        calls = _CALLS.findall(lowered.as_text()) if name else []
        if name and all(call.startswith("lapack_") for call in calls):
            _keep(name, compiled, bool(calls))
        return lambda leaves: compiled(*placed(leaves, places))

    def _name(self, static: Any, shapes: Any, tree: Any) -> str:
        """All that decides the program, in one text; empty where it may not be kept."""
        known = [identity(one) for one in static]
        if not all(known) or not shelf.used():
            return ""
        function = f"{self.function.__module__}.{self.function.__qualname__}"
        return repr((function, known, shapes, str(tree), len(jax.local_devices())))


def ahead(jobs: Sequence[tuple[Any, ...]]) -> None:
    """Prepare programs, each with its arguments, one after another in a thread.

    What fails there fails again, and is told, where the program is called.
    """
    double = jax.dtypes.canonicalize_dtype(np.float64) == np.float64
    main = threading.main_thread()

    def work() -> None:
        with jax.enable_x64(double):
            for program, *arguments in jobs:
                if main.is_alive():
                    with suppress(BaseException):
                        program.prepare(*arguments)

    threading.Thread(target=work, name="compile ahead").start()


def identity(thing: Any) -> str:
    """A text that two things share only if they are traced alike; empty if unknown."""
    if isinstance(thing, str | int | None):
        return repr(thing)
    if isinstance(thing, tuple):
        known = [identity(one) for one in thing]
        return f"({', '.join(known)})" if all(known) else ""
    if isinstance(thing, MethodType) and isinstance(thing.__self__, Identified):
        owner = thing.__self__.identity
        return f"{owner}.{thing.__name__}" if owner else ""
    if isinstance(thing, FunctionType):
        own = thing.__module__.startswith("specfit.") and thing.__closure__ is None
        named = "<" not in thing.__qualname__
        return f"{thing.__module__}.{thing.__qualname__}" if own and named else ""
    return thing.identity if isinstance(thing, Identified) else ""


def _dtype(array: Any) -> Any:
    return jax.dtypes.canonicalize_dtype(np.asarray(array).dtype if np.isscalar(array)
                                         else array.dtype)  # fmt: skip


def _compiled(lowered: Any, options: dict[str, Any]) -> Any:
    """With those of the options that this version of XLA knows."""
    try:
        return lowered.compile(compiler_options=options)
    except jax.errors.JaxRuntimeError as error:
        known = {name: x for name, x in options.items() if name not in str(error)}
        if len(known) == len(options):
            raise
        _log.info("compiled with fewer options: %s", error)
        return _compiled(lowered, known)


def _keep(name: str, compiled: Any, calls_lapack: bool) -> None:
    """Put a program on the shelf, where this version of JAX hands it out."""
    try:
        executable = compiled.runtime_executable()
        content = jax.local_devices()[0].client.serialize_executable(executable)
    except _REFUSALS as error:
        _log.warning("program not kept: %s", error)
        return
    count = compiled.out_tree.num_leaves
    structure = jax.tree.unflatten(compiled.out_tree, range(count))
    shelf.put(name, (calls_lapack, structure), content)


@functools.cache
def _lapack_ready() -> None:
    """Have JAX look up LAPACK's addresses, which it does on lowering a first call."""
    jax.jit(jnp.linalg.eigh).lower(np.eye(2))


def _tried(load: Callable[[], Run], anew: Callable[[], Run]) -> Run:
    """A kept program, made anew where it cannot be loaded or fails at its first call."""
    try:
        program, proved = load(), False
    except _REFUSALS as error:
        _log.warning("kept program not usable, compiled anew: %s", error)
        return anew()

    def run(leaves: list[Any]) -> Any:
        nonlocal program, proved
        if proved:
            return program(leaves)
        try:
            found = program(leaves)
            jax.block_until_ready(found)  # type: ignore[no-untyped-call]
        except _REFUSALS as error:
            _log.warning("kept program not usable, compiled anew: %s", error)
            program = anew()
            found = program(leaves)
        proved = True
        return found

    return run


def _loaded(kept: Any, content: bytes, places: list[Any]) -> Run:
    """A kept program, ready to run."""
    from jaxlib import xla_client

    calls_lapack, structure = kept
    if calls_lapack:
        _lapack_ready()
    split = isinstance(places[0], NamedSharding)
    devices = jax.local_devices() if split else jax.local_devices()[:1]
    executable = devices[0].client.deserialize_executable(
        content, executable_devices=xla_client.DeviceList(tuple(devices))
    )
    order, tree = jax.tree.flatten(structure)

    def run(leaves: list[Any]) -> Any:
        found = executable.execute_sharded(placed(leaves, places))
        parts = found.disassemble_into_single_device_arrays()
        whole = [np.concatenate(parts[i]) if split else parts[i][0] for i in order]
        return jax.tree.unflatten(tree, whole)

    return run
