"""What a backend supplies: a description, a table of operations, and compiled programs."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

from dnnbridge.backend.flattening import flatten
from dnnbridge.base.arrays import Array
from dnnbridge.errors import BackendError, DeclaredLimitationError, UnsupportedError
from dnnbridge.graph import Call, Constant, ConstantArray, Node, Op, Scan, ValueAndGrad
from dnnbridge.program.program import Program

STRUCTURE: frozenset[type[Op]] = frozenset({Constant, ConstantArray, Call, Scan, ValueAndGrad})
"""Operations that every backend handles in its interpreter or generator, not in its table."""


@dataclass(frozen=True)
class Limitation:
    """An operation that a backend does not lower, and why.

    Args:
        op: the class of the operation.
        reason: what is missing, for the user's eyes.
        devices: devices it concerns; empty for all.
        upstream: where the framework tracks it, if it does.
    """

    op: type[Op]
    reason: str
    devices: tuple[str, ...] = ()
    upstream: str = ""


@dataclass(frozen=True)
class Deviation:
    """Inputs for which an operation is lowered and gives other numbers than the reference.

    Args:
        op: the class of the operation.
        where: the inputs, for the user's eyes: "a NaN in a window".
        reason: what comes out, and why.
        cases: cases of the suite that show it, each of them only such inputs.
        devices: devices it concerns; empty for all.
        upstream: where the framework tracks it, if it does.
    """

    op: type[Op]
    where: str
    reason: str
    cases: tuple[str, ...]
    devices: tuple[str, ...] = ()
    upstream: str = ""

    def __str__(self) -> str:
        text = f"{self.op.__name__} deviates for {self.where}: {self.reason}"
        return f"{text} {self.upstream}".rstrip()


@dataclass(frozen=True)
class Variant:
    """A way in which a framework may run on some machine, which must give the same numbers.

    Args:
        name: how `dnnbridge conformance --variant` calls it.
        environment: variables and their values, set before the framework is imported.
        about: what is otherwise, for the user's eyes.
        devices: devices that know it.
        cores: processors that the process may use, where the system can tell it; 0 for all.
    """

    name: str
    environment: tuple[tuple[str, str], ...]
    about: str
    devices: tuple[str, ...] = ("cpu",)
    cores: int = 0


@dataclass(frozen=True)
class BackendInfo:
    """What is known of a backend without importing its framework.

    Args:
        name: what DNNBRIDGE_BACKEND says.
        modules: import packages that must be installed.
        distributions: names under which the framework may be installed, to find its version.
        install: the command that installs it.
        devices: kinds of device it can use, where the machine has them.
        priority: the installed backend with the highest one is the default.
        natives: packages whose live optimizers it can read, for `from_native`.
        reuses: whether an executable may serve another run when the one before is gone; its state
            is written anew.
        variants: ways in which the framework may run, each of which the suite holds to the same.
        by_rows: whether it compiles what `flatten` makes of large tables, which are updated by
            rows: it has `SumRepeats`, puts rows where a table lies, and reads of it but rows.
    """

    name: str
    modules: tuple[str, ...] = ()
    distributions: tuple[str, ...] = ()
    install: str = ""
    devices: tuple[str, ...] = ("cpu",)
    priority: int = 0
    natives: tuple[str, ...] = ()
    reuses: bool = False
    variants: tuple[Variant, ...] = ()
    by_rows: bool = False


class Claim(NamedTuple):
    """A kernel by which a backend replaces the calls of one spec class.

    Attributes:
        applies: whether it computes this spec.
        lower: what the backend makes of it, in its own terms: (spec, *inputs) -> outputs; one that
            works in place gets (spec, places, *inputs) and returns nothing. Inputs are those of
            the call, then what its equation declared or captured, such as weights and random
            arrays, in the order of their first use.
        fits: whether it computes this call, by the types and the number of inputs and outputs: a
            mask, a random array or a loss that a layer adds makes one more of them.
        in_place: whether it changes state arrays where they lie, one for each output of the call,
            in their order. Such calls are left to it only where nothing else reads what they make,
            nor the arrays later (`flattening.Places`).
    """

    applies: Callable[[Any], bool]
    lower: Callable[..., Any]
    fits: Callable[[Node], bool] = lambda node: True
    in_place: bool = False


Rows = Callable[[Array], Mapping[str, Any]]
"""Feeds of a call from the numbers of examples, an int32 array (steps, batch)."""


class Executable(Protocol):
    """A program compiled for a device, with the arrays that live between its steps."""

    @property
    def compilations(self) -> int:
        """How often something has been compiled: each function, and again for a new shape."""
        ...

    def run(self, function: str, feeds: Mapping[str, Any], steps: int) -> dict[str, Array]:
        """Run the first `steps` steps of a function, in order, and return its results.

        Args:
            function: a key of `Program.functions`.
            feeds: for every feed an array with a first axis of at least `steps`, one entry a
                step, or what `keep` made of such. A caller that keeps the size of that axis
                avoids new compilations.
            steps: how many of them to run.

        What it raises in a training, outside of `interrupts.unchanged`, means that some arrays
        may have been changed and others not: the run is not used any more.

        Returns:
            For every result an array with a first axis of `steps`.
        """
        ...

    def keep(self, arrays: Mapping[str, Array]) -> Rows | None:
        """Copy arrays of examples to the device, and return what makes feeds of their rows there.

        None where nothing is gained by it.
        """
        ...

    def read(self) -> dict[str, Array]:
        """Return copies of all state arrays."""
        ...

    def write(self, values: Mapping[str, Array]) -> None:
        """Set state arrays; names and shapes have been checked."""
        ...


class Backend(Protocol):
    """An installed framework, ready to compile."""

    @property
    def info(self) -> BackendInfo: ...

    @property
    def lowered(self) -> Collection[type[Op]]:
        """Operations in its table."""
        ...

    @property
    def claims(self) -> Mapping[type, Claim]:
        """Specs whose calls it lowers as a whole."""
        ...

    @property
    def limitations(self) -> tuple[Limitation, ...]: ...

    @property
    def deviations(self) -> tuple[Deviation, ...]: ...

    def devices(self) -> tuple[str, ...]:
        """Return the devices of this machine that it can use, the preferred one first."""
        ...

    def compile(self, program: Program, device: str) -> Executable:
        """Compile a program whose operations have been checked."""
        ...


def choose_device(backend: Backend, device: str | None) -> str:
    """Return the device asked for, or the backend's preferred one."""
    usable = backend.devices()
    if device is None:
        return usable[0]
    if device not in usable:
        raise BackendError(
            f"backend {backend.info.name} cannot use the device",
            where="device",
            got=repr(device),
            hint=f"Usable here: {', '.join(usable)}.",
        )
    return device


def check_supported(backend: Backend, program: Program, device: str) -> None:
    """Raise unless the backend lowers every operation of the program on the device."""
    limits = {limit.op: limit for limit in backend.limitations}
    for function in program.functions.values():
        for node in flatten(function, backend.claims).graph.walk():
            op = type(node.op)
            limit = limits.get(op)
            if limit and (not limit.devices or device in limit.devices):
                raise DeclaredLimitationError(
                    f"backend {backend.info.name} does not support {op.__name__}: {limit.reason}",
                    where=node.path,
                    hint="Choose another backend or replace the layer. " + limit.upstream,
                )
            if op not in STRUCTURE and op not in backend.lowered and not limit:
                raise UnsupportedError(
                    f"backend {backend.info.name} does not know the operation {op.__name__}",
                    where=node.path,
                    hint="Add it to the backend's table, or declare it as a Limitation.",
                )
