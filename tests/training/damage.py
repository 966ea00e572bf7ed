"""Damage checkpoints: flip bits of files, and kill processes that save.

`python tests/training/damage.py` prints counts of the outcomes; `test_damage.py` has fewer trials.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import numpy as np

import dnnbridge as db
from dnnbridge.errors import CheckpointError

PARTS = ("arrays", "header", "metadata")
"""Parts of the file: the numbers; names, types and places of arrays; the state of the run."""

X = np.random.default_rng(0).normal(size=(30, 6)).astype(np.float32)
Y = np.arange(30) % 3


def trained(units: int = 5) -> db.Run:
    """Return a run with slots, running statistics and an epoch that has begun."""

    class Leave(db.Callback):
        def on_steps_end(self, run, losses):
            if run.position.step == 5:
                run.stop()

    layers = [db.Dense(units, "relu"), db.BatchNormalization(), db.Dense(3)]
    model = db.Sequential([db.Input((6,)), *layers])
    loss, metrics = db.SparseCategoricalCrossentropy(from_logits=True), ["accuracy"]
    metrics.append(db.ConfusionMatrix())
    run = db.compile(db.Experiment(model, loss, db.Adam(), metrics), "reference")
    run.fit(X, Y, 10, 3, callbacks=[Leave()], steps_per_call=1)
    return run


def places(content: bytes) -> dict[str, list[int]]:
    """Return the byte positions of each part of a file."""
    end = 8 + int.from_bytes(content[:8], "little")
    start = content.index(b'"__metadata__"')
    stop = content.index(b'"},"', start)  # quotes within a string are escaped
    return {
        "arrays": list(range(end, len(content))),
        "header": [*range(start), *range(stop, end)],
        "metadata": list(range(start, stop)),
    }


def outcome(path: Path, run: db.Run) -> str:
    """Load a file that may be damaged, and return the outcome in words."""
    try:
        found = db.load(path, "reference")
    except CheckpointError as error:
        return "refused" if str(path) in str(error) else "refused without the file's name"
    except Exception as error:
        return f"raised {type(error).__name__}"
    state = run.state()
    same = found.position == run.position and found.experiment == run.experiment
    same = same and all(np.array_equal(a, state[name]) for name, a in found.state().items())
    return "loaded, the same" if same else "loaded, with other content"


def flipped(content: bytes, bit: int) -> bytes:
    """Return the content with one bit flipped."""
    made = bytearray(content)
    made[bit // 8] ^= 1 << bit % 8
    return bytes(made)


def flips(count: int, folder: Path, seed: int = 0) -> dict[str, Counter[str]]:
    """Flip `count` bits of each part of a checkpoint, one at a time, and count the outcomes."""
    run, rng = trained(), np.random.default_rng(seed)
    good, bad = run.save(folder / "good.safetensors"), folder / "bad.safetensors"
    content = good.read_bytes()
    found: dict[str, Counter[str]] = {}
    for part, where in places(content).items():
        bits = [8 * byte + bit for byte in where for bit in range(8)]
        found[part] = Counter()
        for bit in rng.choice(bits, min(count, len(bits)), replace=False):
            bad.write_bytes(flipped(content, int(bit)))
            found[part][outcome(bad, run)] += 1
    return found


def kills(count: int, folder: Path, seed: int = 0) -> Counter[str]:
    """Kill `count` processes while they save a file; check the file, and save it once more.

    They are forks of this process, which must have no threads: see `kills_elsewhere`.
    """
    path, rng, found = folder / "run.safetensors", np.random.default_rng(seed), Counter[str]()
    run = trained(20000)
    for _ in range(count):
        reading, writing = os.pipe()
        child = os.fork()
        if not child:
            _save_for_ever(run, path, writing)
        os.close(writing)
        said = os.read(reading, 8)  # it has saved once
        time.sleep(rng.uniform(0.0, 0.1))
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        while more := os.read(reading, 2**16):
            said += more
        os.close(reading)
        found["killed"] += 1
        litter = [each for each in folder.iterdir() if each != path]
        found["left a temporary file"] += bool(litter)
        found["bytes left"] += sum(each.stat().st_size for each in litter)
        number = db.load(path, "reference").parameters()["dense_1/bias"][0]
        last = float(said.split()[-1])
        found["loaded, old or new"] += number in (last, last + 1.0)
        run.save(path)
        found["temporary files after the next save"] += len(list(folder.iterdir())) - 1
    return found


def _save_for_ever(run: db.Run, path: Path, told: int) -> None:
    """Save a run again and again, with weights that equal the number of saves."""
    number = 0
    while True:
        number += 1
        run.set_parameters({"dense_1/bias": np.full(3, float(number))})
        run.save(path)
        os.write(told, b"%7d\n" % number)


def kills_elsewhere(count: int, seed: int = 0) -> Counter[str]:
    """Run `kills` in a separate process, and return its result."""
    program = [sys.executable, __file__, "kills", str(count), str(seed)]
    done = subprocess.run(program, stdout=subprocess.PIPE, text=True, check=True, timeout=600)
    return Counter(json.loads(done.stdout))


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        if sys.argv[1:2] == ["kills"]:
            count, seed = map(int, sys.argv[2:])
            print(json.dumps(kills(count, Path(folder), seed)))
            return
        for part, found in flips(100, Path(folder)).items():
            print(f"100 flips in {part}: {dict(found)}")
    print(f"100 kills: {dict(kills_elsewhere(100))}")


if __name__ == "__main__":
    main()
