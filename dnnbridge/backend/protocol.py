"""What a backend provides: a description, a table of operations, and compiled programs."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, Protocol

from dnnbridge.backend.device import device_kind
from dnnbridge.backend.flattening import flatten
from dnnbridge.backend.workers import Workers
from dnnbridge.base.arrays import Array
from dnnbridge.errors import DeclaredLimitationError, UnsupportedError
from dnnbridge.graph import (
    REAL,
    Call,
    Constant,
    ConstantArray,
    Node,
    Op,
    Recompute,
    Scan,
    ValueAndGrad,
)
from dnnbridge.program.program import Program

STRUCTURE: frozenset[type[Op]] = frozenset(
    {Constant, ConstantArray, Call, Recompute, Scan, ValueAndGrad}
)
"""Operations that every backend handles in its interpreter or generator, outside its table."""


@dataclass(frozen=True)
class Limitation:
    """An operation that a backend does not lower, and why.

    Args:
        op: the class of the operation.
        reason: what is missing, shown to the user.
        devices: affected kinds of device; empty for all.
        upstream: link to the framework's issue, if there is one.
    """

    op: type[Op]
    reason: str
    devices: tuple[str, ...] = ()
    upstream: str = ""


@dataclass(frozen=True)
class Deviation:
    """Inputs for which a lowered operation gives other numbers than the reference.

    Args:
        op: the class of the operation.
        where: the inputs, shown to the user: "a NaN in a window".
        reason: the result, and why it differs.
        cases: cases of the suite that show the deviation and have only such inputs.
        devices: affected kinds of device; empty for all.
        upstream: link to the framework's issue, if there is one.
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
class RealType:
    """A type of real numbers besides float32 that a backend computes in.

    Args:
        dtype: "float16", "bfloat16" or "float64".
        devices: kinds of device that have it; empty for all.
    """

    dtype: str
    devices: tuple[str, ...] = ()


@dataclass(frozen=True)
class Variant:
    """A configuration of a framework, as on other machines; it must give the same numbers.

    Args:
        name: the value of `dnnbridge conformance --variant`.
        environment: variables and their values, set before the framework is imported.
        about: what the variant changes, shown to the user.
        devices: kinds of device that have the variant.
        cores: number of processors the process may use, if the system can limit it; 0 for all.
    """

    name: str
    environment: tuple[tuple[str, str], ...]
    about: str
    devices: tuple[str, ...] = ("cpu",)
    cores: int = 0


@dataclass(frozen=True)
class KernelGroup:
    """Candidates among which `DNNBRIDGE_KERNELS` can choose.

    Args:
        name: the name of the backend, a dot, and what the candidates compute: "mine.conv".
        candidates: their names.
        several: whether several can be named, the preferred one first. Then the first that can
            compute an operation is taken.
    """

    name: str
    candidates: tuple[str, ...]
    several: bool = False


@dataclass(frozen=True)
class BackendInfo:
    """Facts about a backend that are known without importing its framework.

    Args:
        name: the value of DNNBRIDGE_BACKEND.
        modules: import packages that must be installed.
        distributions: pip names of the framework, used to find its version.
        install: the command that installs it.
        devices: kinds of device it can use, if the machine has them.
        priority: the installed backend with the highest priority is the default.
        natives: packages whose optimizer objects it can read, for `from_native`.
        reuses: whether a new run may reuse the executable of a deleted run. The state is written
            again.
        variants: configurations of the framework that must give the same numbers.
        by_rows: whether it supports updates of large tables by rows, as `flatten` writes them. It
            lowers `SumRepeats`, puts rows in place, and reads only rows of a table.
        workers: how several workers can share a batch: "processes", which `dnnbridge launch`
            starts, or "devices" of one process. The backend then has `compile_part`.
        noise: what lines of its framework's messages begin with that say nothing to a user.
        reals: types of real numbers besides float32 that it computes in.
        recomputes: whether it computes the layers of `Experiment(remat=…)` again in the backward
            pass. It then gives `recompute` to `flatten`, and lowers `Recompute`. Another one keeps
            their values; the numbers are the same.
        kernels: the groups of kernels that `choose` and `asked_for` ask for. `compile` refuses
            other names in `DNNBRIDGE_KERNELS`.
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
    workers: tuple[Literal["processes", "devices"], ...] = ()
    noise: tuple[str, ...] = ()
    reals: tuple[RealType, ...] = ()
    recomputes: bool = False
    kernels: tuple[KernelGroup, ...] = ()


class Claim(NamedTuple):
    """A kernel with which a backend replaces the calls of one spec class.

    Attributes:
        applies: whether the kernel can compute this spec.
        lower: (spec, *inputs) -> outputs, in the backend's own terms. A kernel that works in place
            gets (spec, places, *inputs) and returns nothing. The inputs are those of the call, then
            the weights and random arrays that its equation declared or captured, in the order of
            first use.
        fits: whether the kernel can compute this call, judged by the types and numbers of inputs
            and outputs. A mask, a random array or a loss added by a layer changes these.
        in_place: whether the kernel changes state arrays in place, one for each output of the call,
            in order. It is used only if neither the old arrays nor the results are read later
            (`flattening.Places`).
    """

    applies: Callable[[Any], bool]
    lower: Callable[..., Any]
    fits: Callable[[Node], bool] = lambda node: True
    in_place: bool = False


Rows = Callable[[Array], Mapping[str, Any]]
"""Returns the feeds of a call for indices of examples, an int32 array (steps, batch)."""


class Executable(Protocol):
    """A program compiled for a device, with its state arrays."""

    @property
    def compilations(self) -> int:
        """Number of compilations so far: one per function and shape."""
        ...

    def run(self, function: str, feeds: Mapping[str, Any], steps: int) -> dict[str, Array]:
        """Run the first `steps` steps of a function, in order, and return its results.

        Args:
            function: a key of `Program.functions`.
            feeds: for every feed an array with one entry per step, or the result of `keep`. The
                first axis has at least `steps` entries; keeping its size avoids new compilations.
            steps: number of steps to run.

        An exception during training, outside of `interrupts.unchanged`, may leave only some arrays
        updated. The run must not be used afterwards.

        Returns:
            For every result an array with a first axis of `steps`.
        """
        ...

    def keep(self, arrays: Mapping[str, Array]) -> Rows | None:
        """Copy arrays of examples to the device; return a function that gathers rows there.

        Return None if this saves no time.
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
        """Kernels for whole calls, by spec class."""
        ...

    @property
    def limitations(self) -> tuple[Limitation, ...]: ...

    @property
    def deviations(self) -> tuple[Deviation, ...]: ...

    def devices(self) -> tuple[str, ...]:
        """Return the names of the usable devices of this machine, the preferred one first.

        The first of a kind has no number: ("gpu", "gpu:1", "cpu"), as `names_of` writes them.
        """
        ...

    def compile(self, program: Program, device: str) -> Executable:
        """Compile a program for one of `devices()`; its operations have already been checked."""
        ...


class ParallelBackend(Backend, Protocol):
    """A backend whose workers can share a batch."""

    def compile_part(self, program: Program, device: str, workers: Workers) -> Executable:
        """Compile a program whose divided functions several workers run together.

        Where `workers.rank` is a number, this process is one of them, and their feeds have its own
        rows. Otherwise it has all of them: it divides the feeds of a divided function itself with
        `workers.part`. All other functions run as with one worker.
        """
        ...


def _check_real(backend: Backend, reals: Collection[str], dtype: str, device: str) -> None:
    """Raise unless the backend computes in a type of real numbers."""
    if dtype not in reals:
        others = ", ".join(sorted({"float32", *reals}))
        raise DeclaredLimitationError(
            f"backend {backend.info.name} does not compute in {dtype} on {device}",
            where="precision",
            got=f"a program in {dtype}",
            hint=f"It computes in {others} there. Choose such a precision, or another backend.",
        )


def check_supported(backend: Backend, program: Program, device: str) -> None:
    """Raise unless the backend lowers every operation of the program on the device."""
    kind = device_kind(device)
    limits = {limit.op: limit for limit in backend.limitations}
    reals = {real.dtype for real in backend.info.reals if kind in (real.devices or (kind,))}
    for function in program.functions.values():
        for node in flatten(function, backend.claims).walk():
            op = type(node.op)
            for value in node.outputs:
                if value.dtype in REAL and value.dtype != "float32":
                    _check_real(backend, reals, value.dtype, device)
            limit = limits.get(op)
            if limit and (not limit.devices or kind in limit.devices):
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
