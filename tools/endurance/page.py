"""The page of long trainings and many compilations, with its pictures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from statistics import median

from dnnbridge.base.machine import machine
from dnnbridge.drawing.curves import Curve, Panel
from dnnbridge.drawing.panels import drawing_of
from endurance.sampling import Sample, growth, settled, slowing

FOLDER = Path(__file__).parents[2] / "docs" / "measurements"

MIB = 2**20

Measured = Mapping[str, Sequence[Sample]]

HEAD = """# Long runs

`make long-run` trains small nets for many steps, and compiles many experiments, each in a process
of its own. Written by it, measured on {machine}, with {versions}. Time is that of the processor,
which other work on the machine disturbs less than the time of the clock. A sample is taken after
each epoch, after a collection of garbage. The first fifth of the samples is left out: caches and
pools of memory fill there.

## Trainings

Batches of 16. Each epoch has a validation, and the callbacks `EarlyStopping` with
`restore_best_weights`, `ReduceLROnPlateau`, two `ModelCheckpoint`, `CSVLogger`,
`TerminateOnNonFinite` and `TensorBoard` with histograms. *Growth* is the slope of memory, in bytes
a step and as a part of the memory in the whole training. *Slowing* is the time of a step in the
second half over that in the first. Open files and threads are those at the end of the last epoch,
and once `fit` has returned.

| | steps | memory, MB | growth, bytes | in all | step, µs | slowing | files | threads |
|---|---|---|---|---|---|---|---|---|
"""

EXPLAINED = """
Expected growth: `History.step_losses` keeps the loss of each step, a Python float, which takes 32
bytes, with a place of 8 in the list: {losses:.1f} MB in 100,000 steps. That is all of it: without
callbacks, 40,000 steps of the reference grew by 37 and 40 bytes a step. The process of the
reference is so small that these losses are 3 % of it. A slowing below 1 means that later steps were
faster. `CSVLogger` and `TensorBoard` hold their files open until `fit` returns, and `TensorBoard` a
thread for each file; a thread gathers the rows of the next steps while `fit` runs.

![Memory and time of a step](long-run.svg)

## Compilations

Each experiment is compiled, trained for 4 steps, evaluated and used for a prediction; then its run
is deleted. *Equal*: the same experiment each time, compiled anew once in ten times. *Different*:
another number of units each time. `db.clear_session()` is called before each sample, every tenth
time. A time is that from one sample to the next, for each. *Apart*: different ones too, in
processes that each end after 20; memory is that of both processes before one ends, and time
includes its start. [reliability.md](../guide/reliability.md#many-trainings-in-one-program) has such
a program.

| | compilations | memory, MB | growth, KB each | in all | time each, s | files | threads |
|---|---|---|---|---|---|---|---|
"""


FOUND = """
## What was found

- **TensorFlow** left 2.1 MB for each compilation of this net (60 compilations: from 665 to 782 MB).
  `tf.custom_gradient` registers a function for each call that it traces and never forgets it, nor
  the graph. The backend now registers one gradient, and each graph keeps the derivatives of its own
  calls, so all of them go with the run. What is left is TensorFlow's: it keeps what XLA compiled. A
  `tf.function(jit_compile=True)` that trains the same net, used and deleted, leaves 0.8 MB each
  time, and 0.15 MB without XLA.
- **MindSpore** keeps memory for each compiled graph once its Cell, its parameters and all Python
  objects of it are gone: 20 of 223,000 objects more for each compilation, and no Cell.
  `malloc_trim` and `mindspore.ms_memory_recycle` give nothing of it back, as they are no arrays. A
  training of the same net in MindSpore alone, with its own Cells, grew by 37 MB in 5 compilations.
  The modules of generated source stay too: one for each function of another structure, 3 for all
  sizes of this net. Processes that end free all of it (*apart*).
- **Large weights on MindSpore**: MindSpore keeps the arrays of a run that is gone for arrays of the
  same sizes, so a run with 12 million weights of another size added 50 MB. The backend now calls
  `mindspore.ms_memory_recycle` before it compiles: 3 MB.
"""


def write(measured: Measured) -> None:
    """Write the page and its picture."""
    trainings = {n: s for n, s in measured.items() if n.endswith(("dense", "convolutional"))}
    compilations = {n: s for n, s in measured.items() if n not in trainings}
    text = HEAD.format(machine=machine(), versions=_versions())
    text += "\n".join(_training(name, samples) for name, samples in trainings.items())
    text += "\n" + EXPLAINED.format(losses=40 * 100_000 / MIB)
    text += "\n".join(_compiling(name, samples) for name, samples in compilations.items())
    text += "\n" + FOUND
    (FOLDER / "long-run.md").write_text(text, "utf-8")
    frameworks = {n: s for n, s in compilations.items() if not n.startswith("reference")}
    panels = [*_panels(trainings, "step"), *_panels(frameworks, "compilation")]
    (FOLDER / "long-run.svg").write_text(drawing_of(panels).svg + "\n", "utf-8")


def _training(name: str, samples: Sequence[Sample]) -> str:
    *during, after = samples
    last, slope = during[-1], growth(during)
    whole = slope * last.count / last.memory
    step = median(each.seconds for each in settled(during)) * 1e6
    memory = f"{last.memory / MIB:.0f} | {slope:.0f} | {whole:.2%}"
    files, threads = f"{last.handles}, {after.handles}", f"{last.threads}, {after.threads}"
    time = f"{step:.0f} | {slowing(during):.2f}"
    return f"| {name} | {last.count:,} | {memory} | {time} | {files} | {threads} |"


def _compiling(name: str, samples: Sequence[Sample]) -> str:
    last, slope = samples[-1], growth(samples)
    each = median(sample.seconds for sample in settled(samples))
    whole = slope * last.count / last.memory
    return (
        f"| {name} | {last.count} | {last.memory / MIB:.0f} | {slope / 1024:.0f} | {whole:.1%} "
        f"| {each:.2f} | {last.handles} | {last.threads} |"
    )


def _panels(measured: Measured, unit: str) -> list[Panel]:
    """Return memory relative to the end of the first fifth, and time relative to its median."""
    memory, time = [], []
    for number, (name, samples) in enumerate(measured.items()):
        kept = settled(samples)[: None if unit == "compilation" else -1]
        x = [each.count / kept[-1].count for each in kept]
        first, middle = kept[0].memory, median(each.seconds for each in kept)
        memory.append(Curve(name, x, [each.memory / first for each in kept], number))
        time.append(Curve(name, x, [each.seconds / middle for each in kept], number))
    part = f"part of the {unit}s"
    return [
        Panel(f"Memory over that after the first fifth, {unit}s", tuple(memory), part),
        Panel(f"Time of a {unit} over its median", tuple(time), part),
    ]


def _versions() -> str:
    found = []
    for name in ("tensorflow", "mindspore", "numpy"):
        try:
            found.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            continue
    return ", ".join(found)
