"""Change a valid file: bytes alone, or what a format says in a form that its checksums allow."""

from __future__ import annotations

import gzip
import io
import json
import struct
import warnings
import zipfile
from collections.abc import Callable, Iterator
from copy import deepcopy
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
from safetensors.numpy import save

from dnnbridge.formats.traces.records import MAGIC, encoded
from dnnbridge.training import checkpoint_file

VALUES: tuple[Any, ...] = (
    *(None, True, False, 0, 1, -1, 2, 7, 10**6, 2**31, 2**63, -(10**30), 1e-320, 1e308, 0.5),
    *(
        "",
        "x",
        "None",
        "relu",
        "__import__('os').system('x')",
        "../../x",
        "\0",
        "é" * 40,
        "a" * 999,
    ),
    *(
        "a" * 999,
        [],
        {},
        [[]],
        [None],
        {"kind": "layer.Dense"},
        {"kind": 1},
        {"class_name": "Lambda"},
    ),
    *(float("nan"), float("inf"), [1] * 40, [2**31] * 3, list("abc")),
)
"""What takes the place of a value of JSON."""


def of_bytes(content: bytes, random: Random) -> bytes:
    """Return bytes with a few changes: flips, cuts, copies, noise, numbers that are huge."""
    made = bytearray(content)
    for _ in range(random.randint(1, 3)):
        at, end = random.randrange(len(made) + 1), random.randrange(len(made) + 1)
        choice = random.randrange(7)
        if choice == 0 and made:
            made[min(at, len(made) - 1)] ^= 1 << random.randrange(8)
        elif choice == 1:
            del made[at:]
        elif choice == 2:
            del made[min(at, end) : max(at, end)]
        elif choice == 3:
            made[at:at] = made[min(at, end) : max(at, end)][:2000]
        elif choice == 4:
            made[at:at] = bytes(random.randrange(256) for _ in range(random.randint(1, 20)))
        else:
            width = random.choice((1, 2, 4, 8))
            made[at : at + width] = random.choice((b"\xff", b"\0", b"\x7f", b"\x01")) * width
    return bytes(made)


def of_json(data: Any, random: Random) -> Any:
    """Return JSON data with a few values replaced, left out, or put elsewhere."""
    made = json.loads(json.dumps(data))
    for _ in range(random.randint(1, 3)):
        places = list(_places(made))
        if not places:
            return deepcopy(random.choice(VALUES))
        holder, key = random.choice(places)
        choice = random.randrange(4)
        if choice == 0:
            del holder[key]
        elif choice == 1:
            other, place = random.choice(places)
            holder[key] = json.loads(json.dumps(other[place]))
        else:
            holder[key] = deepcopy(random.choice(VALUES))  # later changes may reach into it
    return made


def _places(data: Any) -> Iterator[tuple[Any, Any]]:
    """Yield each value of JSON data as what holds it, and its key."""
    pairs = data.items() if isinstance(data, dict) else enumerate(data)
    for key, value in list(pairs):
        yield data, key
        if isinstance(value, (dict, list)):
            yield from _places(value)


def of_text(content: bytes, random: Random) -> bytes:
    return json.dumps(of_json(json.loads(content), random)).encode()


def of_log(content: bytes, random: Random) -> bytes:
    """Change the cells of a CSV file."""
    lines = [line.split(",") for line in content.decode().splitlines()]
    for _ in range(random.randint(1, 3)):
        line = random.choice(lines)
        line[random.randrange(len(line))] = str(random.choice(VALUES))
    return "\n".join(map(",".join, lines)).encode()


def of_safetensors(content: bytes, random: Random) -> bytes:
    """Change the header, with a length that fits it."""
    size = int.from_bytes(content[:8], "little")
    header = json.dumps(of_json(json.loads(content[8 : 8 + size]), random)).encode()
    return len(header).to_bytes(8, "little") + header + content[8 + size :]


def of_checkpoint(content: bytes, random: Random) -> bytes:
    """Change what the header says of the run, with a digest that fits it."""
    size = int.from_bytes(content[:8], "little")
    metadata = json.loads(content[8 : 8 + size])["__metadata__"]
    arrays = _arrays(content)
    key = random.choice(sorted(metadata))
    metadata[key] = _changed_text(metadata[key], random)
    metadata.pop(checkpoint_file.DIGEST, None)
    metadata[checkpoint_file.DIGEST] = checkpoint_file.digest(metadata, arrays)
    return save(arrays, metadata)


def _arrays(content: bytes) -> dict[str, np.ndarray]:
    from safetensors.numpy import load

    return load(content)


def _changed_text(text: str, random: Random) -> str:
    try:
        return json.dumps(of_json(json.loads(text), random))
    except (ValueError, TypeError):
        return str(random.choice(VALUES))


def of_archive(content: bytes, random: Random) -> bytes:
    """Change a member of an archive, with a checksum that fits it, or its name."""
    made = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(made, "w") as new:
        names = old.namelist()
        chosen = random.choice(names)
        for name in names:
            member, target = old.read(name), name
            if name == chosen and name.endswith(".json") and random.random() < 0.8:
                member = of_text(member, random)
            elif name == chosen:
                member = of_bytes(member, random)
            if name == chosen and random.random() < 0.1:
                target = random.choice(("../../x", "/x", name + "/", "x.npy"))
            how = random.choice((zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2))
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", UserWarning)  # two members of one name
                new.writestr(target, member, how)
    return made.getvalue()


def of_numbers(content: bytes, random: Random) -> bytes:
    """Change the sizes in the header of an IDX file, which may be compressed."""
    packed = content[:2] == b"\x1f\x8b"
    made = bytearray(gzip.decompress(content) if packed else content)
    at = random.randrange(4)
    choices = (0, 1, 12, 13, 2**16, 2**31, 2**32 - 1)
    made[4 * at : 4 * at + 4] = struct.pack(">I", random.choice(choices))
    if random.random() < 0.3:
        made += bytes(random.choice((1, 100, 10**6)))
    return gzip.compress(bytes(made), mtime=0) if packed else bytes(made)


def of_trace(content: bytes, random: Random) -> bytes:
    """Change the text or the numbers of a record, with checksums that fit."""
    place, made = len(MAGIC), [MAGIC]
    records = []
    while place < len(content):
        kind, length = struct.unpack_from("<4sQ", content, place)
        payload = content[place + 16 : place + 16 + length]
        text = struct.unpack_from("<I", payload)[0]
        records.append((kind.decode(), json.loads(payload[4 : 4 + text]), payload[4 + text :]))
        place += 16 + length + 4
    chosen = random.randrange(len(records))
    for number, (kind, fields, numbers) in enumerate(records):
        if number == chosen:
            fields = of_json(fields, random)
            if not isinstance(fields, dict):
                fields = {}
        made.append(encoded(kind, fields, numbers))
    return b"".join(made)


def of_onnx(content: bytes, random: Random) -> bytes:
    """Change a number or a text anywhere in the message."""
    import onnx

    model = onnx.ModelProto.FromString(content)
    places = [place for place in _fields(model) if place[1].name != "raw_data"]
    message, field = random.choice(places)
    value = getattr(message, field.name)
    numbers = (0, 1, -1, 2, 7, 1000, 2**31 - 1, 10**9)
    longs = (*numbers, 2**40, 2**62, -(2**62))
    made: dict[int, Callable[[], Any]] = {
        field.TYPE_INT64: lambda: random.choice(longs),
        field.TYPE_INT32: lambda: random.choice(numbers),
        field.TYPE_FLOAT: lambda: random.choice((0.0, -1.0, 1e38, float("nan"))),
        field.TYPE_STRING: lambda: random.choice(("", "x", "Loop", "../x", "Range", "Expand")),
        field.TYPE_BYTES: lambda: random.choice((b"", b"x", b"\xff", b"SAME_UPPER")),
    }
    new = made.get(field.type)
    if field.type == field.TYPE_MESSAGE and not isinstance(value, type(message)):
        if hasattr(value, "add") and len(value):
            del value[random.randrange(len(value))]
    elif new and hasattr(value, "append"):
        value[random.randrange(len(value))] = new()
    elif new:
        setattr(message, field.name, new())
    return model.SerializeToString()


def _fields(message: Any) -> Iterator[tuple[Any, Any]]:
    for field, value in message.ListFields():
        yield message, field
        if field.type == field.TYPE_MESSAGE:
            for each in [value] if hasattr(value, "ListFields") else value:
                yield from _fields(each)


def of_hdf5(content: bytes, random: Random) -> bytes:
    """Change the JSON, the shape or the place of an array, or the names in attributes."""
    import h5py

    stream = io.BytesIO(content)
    with h5py.File(stream, "r+") as file:
        arrays: list[str] = []
        file.visititems(lambda n, each: arrays.append(n) if hasattr(each, "shape") else None)
        name = random.choice(arrays)
        choice = random.randrange(6)
        if choice == 0 and "model_config" in file.attrs:
            data = of_json(json.loads(file.attrs["model_config"]), random)
            file.attrs["model_config"] = json.dumps(data)
        elif choice == 1:
            del file[name]
        else:
            shape = random.choice(((), (0,), (3,), (10**6,), (10**12,), (2,) * 20, (2**31, 2**20)))
            kind = random.choice(("f4", "f8", "i1", "S5", "u8", h5py.string_dtype()))
            del file[name]
            if choice == 2:
                file[name] = h5py.ExternalLink("/etc/passwd", "/")
            elif choice == 3:
                file[name] = h5py.SoftLink(random.choice(("/", "/nothing", f"/{name}")))
            else:
                file.create_dataset(name, shape, kind)
    return stream.getvalue()


MUTATIONS: dict[str, tuple[Callable[[bytes, Random], bytes], ...]] = {
    ".json": (of_text,),
    ".safetensors": (of_safetensors, of_checkpoint),
    ".idx": (of_numbers,),
    ".gz": (of_numbers,),
    ".npz": (of_archive,),
    ".keras": (of_archive,),
    ".h5": (of_hdf5,),
    ".npy": (),
    ".ckpt": (),
    ".onnx": (of_onnx,),
    ".trace": (of_trace,),
    ".csv": (of_log,),
}
"""Changes that know the format, by the ending of the file."""


def changed(path: Path, content: bytes, random: Random) -> bytes:
    """Return a damaged copy of the content of a file: bytes alone in a third of the cases."""
    made = MUTATIONS[path.suffix]
    if not made or random.random() < 1 / 3:
        return of_bytes(content, random)
    return random.choice(made)(content, random)
