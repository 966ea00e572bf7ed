"""The page of large data."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path

from dnnbridge.base.machine import machine
from large_data.tables import BATCH as TABLE_BATCH
from large_data.tables import FEATURES, MORE, ROWS, WORDS, that_leave_rows

PAGE = Path(__file__).parents[2] / "docs" / "measurements" / "large-data.md"

MB = 1e6

NAMES = {
    "memmap": "`np.memmap`, two `.npy`",
    "npz": "`db.Shards`, 8 `.npz`",
    "safetensors": "`db.Shards`, 8 `.safetensors`",
}

HEAD = """# Large data

`make large-data` trains on files and with large tables, each time in a process of its own. Written
by it, measured on {machine}, with {versions}. The machine was busy with other work. How to train on
such data is in [large-data.md](../guide/large-data.md).

## Memory

An epoch of {rows:,} examples of 1,024 float32, {bytes:.1f} GB, in shuffled order, with batches of
256 and a `Dense(16)`. *Before*: the same training on {few:,} examples, {few_bytes:.0f} MB. That is
what Python, the framework, the model and the batches need. *Anonymous* memory is what the system
cannot take back; the rest of the resident memory is copies of files, such as the libraries. Both
are the most that was seen, every 20 ms, in MB of 10⁶ bytes.

| | | peak resident | before | more | peak anonymous | before | more | examples a second |
|---|---|---|---|---|---|---|---|---|
"""

FOUND = """
The order of the examples needs 25 bytes for each, and each step leaves 32 bytes in
`History.step_losses`: {order:.0f} MB here.

## Large tables

A step of `Embedding(rows, {features})`, of which a batch of {batch} examples reads {words} rows
each, a mean and a `Dense(1)`: milliseconds, the median of three epochs of 128 steps.

| | | {few:,} rows | {many:,} rows | ratio |
|---|---|---|---|---|
"""

TABLES = """
{names} update only the rows that a batch reads: `SGD` without momentum, the others always. By their
equations, a row with a gradient of 0 keeps its value and its state (`leaves_rows` of an optimizer,
`dnnbridge/backend/row_updates.py`). Momentum and the means of Adam move every row in every step,
also those that are not read. So each step of those optimizers touches the whole table and its
state. `LazyAdam` is Adam without this. [speed.md](speed.md) compares the same with Keras.

A table of {few:,} rows is updated as a whole, as a batch may read most of it. Steps by rows take
longer too, but less than the table grows: `SGD` with {rows:,} rows takes {seconds}. `fit` reads all
weights at its end, to see whether they are finite, of which each step here has a 128th. And
{read:,} rows at random places come from main memory, those of a small table from the cache.
"""


def write_page(
    memory: Mapping[tuple[str, str, int], Mapping[str, float]],
    steps: Mapping[tuple[str, str, int], float],
) -> None:
    """Write the page from the memory of trainings and the seconds of steps."""
    few, many = sorted({count for _, _, count in memory})
    backends = list(dict.fromkeys(backend for backend, _, _ in memory))
    versions = ", ".join(f"{name} {version(name)}" for name in (*backends, "numpy"))
    sizes = {count: each["bytes"] for (_, _, count), each in memory.items()}
    text = HEAD.format(
        machine=machine(),
        versions=versions,
        rows=many,
        bytes=sizes[many] / 1e9,
        few=few,
        few_bytes=sizes[few] / MB,
    )
    for form, said in NAMES.items():
        for backend in backends:
            text += _memory(said, backend, memory[backend, form, many], memory[backend, form, few])
    order = (25 * many + 32 * memory[backends[0], "memmap", many]["steps"]) / MB
    few, many = ROWS
    sizes_of_tables = {"features": FEATURES, "batch": TABLE_BATCH, "words": WORDS}
    text += FOUND.format(order=order, few=few, many=many, **sizes_of_tables)
    for backend, name, rows in steps:
        if rows == few:
            one, other = (1e3 * steps[backend, name, count] for count in (few, many))
            text += f"| {backend} | `{name}` | {one:.2f} | {other:.2f} | {other / one:.1f} |\n"
    names = [f"`{name}`" for name in that_leave_rows()]
    more = [f"{1e3 * steps[each, 'SGD', MORE]:.2f} ms on {each}" for each in backends]
    text += TABLES.format(
        names=", ".join(names[:-1]) + f" and {names[-1]}",
        read=TABLE_BATCH * WORDS,
        few=few,
        rows=MORE,
        seconds=" and ".join(more),
    )
    text = text.replace("`SGD with momentum`", "`SGD` with momentum").strip()
    PAGE.write_text("\n\n".join(map(_filled, text.split("\n\n"))) + "\n", "utf-8")


def _filled(paragraph: str) -> str:
    """Return a paragraph in lines of equal length; tables and titles stay."""
    if paragraph.startswith(("|", "#")):
        return paragraph
    return textwrap.fill(paragraph, 120, break_on_hyphens=False, break_long_words=False)


def _memory(said: str, backend: str, all: Mapping[str, float], few: Mapping[str, float]) -> str:
    cells = [
        f"{all[kind] / MB:.0f} | {few[kind] / MB:.0f} | {(all[kind] - few[kind]) / MB:.0f}"
        for kind in ("rss", "anonymous")
    ]
    speed = f"{all['rows'] / all['seconds']:,.0f}"
    return f"| {said} | {backend} | {' | '.join(cells)} | {speed} |\n"
