"""Bad commands, options and files of the command line."""

from __future__ import annotations

import io
import json
from contextlib import redirect_stderr

import click
import numpy as np
from robustness.row import X, Y, experiment, on_each, row

from dnnbridge.cli import main
from dnnbridge.errors import (
    ArgumentError,
    BackendError,
    CheckpointError,
    ConversionError,
    DataError,
    DeviceError,
    FileError,
    ScheduleTypeError,
    SpecError,
)


class UsageError(Exception):
    """What a command prints of a mistake in its words, with status 2."""


USAGE = UsageError


def call(*words, **files):
    """Return what writes files and gives a command; FILE in it is the path of "file".

    A name in `files` has "_" for the dot: `e_json` is e.json.
    """

    def does(c):
        for name, content in files.items():
            path = c.folder / name.replace("_", ".")
            path.write_bytes(content if isinstance(content, bytes) else content.encode())
        filled = [word.format(at=c.folder, backend=c.backend) for word in words]
        printed = io.StringIO()
        try:
            with redirect_stderr(printed):
                status = main.main(filled, standalone_mode=False)
        except click.UsageError as error:
            raise UsageError(error.format_message()) from None
        except click.ClickException as error:
            raise error.__cause__ or error from None
        if status:
            raise UsageError(printed.getvalue())

    return does


SPEC = experiment().to_json()
TRAIN = ("train", "{at}/e.json", "--epochs", "1", "--backend", "{backend}")
DATA = ("--data", "{at}/d.npz")


def data():
    stream = io.BytesIO()
    np.savez(stream, x_train=X, y_train=Y, x_test=X, y_test=Y)
    return stream.getvalue()


FILES = {"e_json": SPEC, "d_npz": data()}

TRAINING = {
    "command-unknown": row(call("trian"), USAGE, "trian"),
    "option-unknown": row(call(*TRAIN, *DATA, "--epoch", "3", **FILES), USAGE, "--epoch"),
    "file-missing": row(call("train", "{at}/no.json", "--data", "digits"), USAGE, "no.json"),
    "file-a-folder": row(call("train", "{at}", "--data", "digits"), USAGE, "directory"),
    "no-data": row(call(*TRAIN, **FILES), USAGE, "--data"),
    "backup-where-no-folder-can-be": row(
        call(*TRAIN, *DATA, "--backup", "/proc/x", **FILES), FileError, "/proc/x", "give another"
    ),
    "epochs-0": row(call(*TRAIN, *DATA, "--epochs", "0", **FILES), USAGE, "--epochs", "0"),
    "batch-size-a-word": row(
        call(*TRAIN, *DATA, "--batch-size", "many", **FILES), USAGE, "--batch-size", "many"
    ),
    "seed-below-0": row(call(*TRAIN, *DATA, "--seed", "-1", **FILES), USAGE, "--seed", "-1"),
    "nonfinite-unknown": row(
        call(*TRAIN, *DATA, "--on-nonfinite", "pray", **FILES), USAGE, "pray", "stop"
    ),
    "suffix": row(call("train", "{at}/e.txt", *DATA, e_txt=""), SpecError, "e.txt", ".json"),
    "json-half": row(call(*TRAIN, *DATA, e_json=SPEC[:40]), SpecError, "e.json", "not JSON"),
    "json-of-keras": row(
        call(*TRAIN, *DATA, e_json='{"class_name": "Sequential"}'), SpecError, "e.json"
    ),
    "json-latin": row(call(*TRAIN, *DATA, e_json=b"\xff{}"), SpecError, "e.json", "UTF-8"),
    "python-raises": row(
        call("train", "{at}/e.py", *DATA, e_py="x = 1\n{}['a']"), SpecError, "e.py:2", "KeyError"
    ),
    "python-exits": row(
        call("train", "{at}/e.py", *DATA, e_py="raise SystemExit(3)"), SpecError, "e.py:1", "3"
    ),
    "python-of-nul": row(call("train", "{at}/e.py", *DATA, e_py="\0"), SpecError, "e.py"),
    "python-without-one": row(
        call("train", "{at}/e.py", *DATA, e_py="x = 3"), SpecError, "e.py", "experiment"
    ),
    "backend-unknown": row(
        call("train", "{at}/e.json", *DATA, "--backend", "torch", **FILES), BackendError, "'torch'"
    ),
    "device-unknown": on_each(
        call(*TRAIN, *DATA, "--device", "tpu", **FILES), DeviceError, "device", "tpu"
    ),
    "data-unknown": row(call(*TRAIN, "--data", "digit", **FILES), DataError, "'digits'"),
    "data-missing": row(call(*TRAIN, "--data", "{at}/no.npz", **FILES), DataError, "no.npz"),
    "data-of-another-shape": on_each(
        call(*TRAIN, "--data", "digits", **FILES), DataError, "x", "64"
    ),
    "save-to-no-folder": row(
        call(*TRAIN, *DATA, "--save", "{at}/no/a.safetensors", **FILES), DataError, "no"
    ),
    "save-as-keras": row(
        call(*TRAIN, *DATA, "--save", "{at}/a.keras", **FILES), CheckpointError, "Keras"
    ),
    "resume-of-json": row(
        call(*TRAIN, *DATA, "--resume", "{at}/e.json", **FILES), CheckpointError, "e.json"
    ),
    "resume-of-noise": on_each(
        call(*TRAIN, *DATA, "--resume", "{at}/a.safetensors", a_safetensors="no", **FILES),
        CheckpointError,
        "a.safetensors",
    ),
    "backup-in-a-file": on_each(
        call(*TRAIN, *DATA, "--backup", "{at}/e.json", **FILES), USAGE, "e.json"
    ),
    "profile-of-noise": row(
        call("profile", "{at}/e.json", *DATA, e_json="no"), SpecError, "e.json"
    ),
}

OTHERS = {
    "compare-one-backend": row(
        call("compare", "{at}/e.json", *DATA, "--backends", "reference", **FILES),
        BackendError,
        "reference",
    ),
    "compare-with-an-unknown": row(
        call("compare", "{at}/e.json", *DATA, "--backends", "reference,torch", **FILES),
        BackendError,
        "'torch'",
    ),
    "align-with-no-data": row(
        call("align", "{at}/e.json", "{at}/e.json", "--backends", "reference", **FILES),
        USAGE,
        "--data",
    ),
    "align-of-noise": row(
        call(
            "align",
            "{at}/a.bin",
            "{at}/e.json",
            *DATA,
            "--backends",
            "reference",
            a_bin="no",
            **FILES,
        ),
        USAGE,
        "a.bin",
    ),
    "align-missing": row(
        call("align", "{at}/no.json", "{at}/e.json", *DATA, "--backends", "reference", **FILES),
        USAGE,
        "no.json",
    ),
    "convert-of-noise": row(
        call("convert", "{at}/a.bin", "--to", "keras", "-o", "{at}/out", a_bin="no"),
        ConversionError,
        "a.bin",
    ),
    "convert-missing": row(
        call("convert", "{at}/no.keras", "--to", "keras", "-o", "{at}/out"), USAGE, "no.keras"
    ),
    "convert-to-nothing": row(
        call("convert", "{at}/a.json", "-o", "{at}/out", a_json="{}"), USAGE, "--to"
    ),
    "convert-to-an-unknown": row(
        call("convert", "{at}/a.json", "--to", "caffe", "-o", "{at}/out", a_json="{}"),
        ConversionError,
        "caffe",
    ),
    "convert-of-pickle": row(
        call("convert", "{at}/a.pt", "--to", "keras", "-o", "{at}/out", a_pt="\x80\x04."),
        ConversionError,
        "a.pt",
    ),
    "convert-shape-a-word": row(
        call(
            "convert",
            "{at}/m.json",
            "--to",
            "keras",
            "-o",
            "{at}/out",
            "--input-shape",
            "wide",
            m_json=json.dumps({"class_name": "Sequential", "config": {"layers": []}}),
        ),
        ConversionError,
        "wide",
    ),
    "inspect-a-device": row(call("inspect", "/dev/zero"), CheckpointError, "is a device"),
    "inspect-of-noise": row(call("inspect", "{at}/a.bin", a_bin="no"), CheckpointError, "a.bin"),
    "inspect-of-half-json": row(
        call("inspect", "{at}/a.json", a_json="{"), CheckpointError, "JSON"
    ),
    "lint-of-noise": row(call("lint", "{at}/a.bin", a_bin="no"), USAGE, "a.bin"),
    "lint-to-an-unknown": row(
        call("lint", "{at}/e.json", "--to", "torch", **FILES), USAGE, "torch"
    ),
    "report-of-noise": row(
        call("report", "{at}/a.safetensors", a_safetensors="no"), CheckpointError, "a.safetensors"
    ),
    "report-of-csv-with-data": row(
        call("report", "{at}/a.csv", "--data", "digits", a_csv="epoch,loss\n0,1\n"),
        DataError,
        "weights",
    ),
    "report-of-other-csv": row(call("report", "{at}/a.csv", a_csv="a,b\n"), DataError, "a.csv"),
    "report-to-no-folder": row(
        call("report", "{at}/a.csv", "-o", "{at}/no/a.html", a_csv="epoch,loss\n0,1\n"),
        DataError,
        "no",
    ),
    "schedule-unknown": row(call("schedule", "CosineDecayy", "0.1"), SpecError, "CosineDecay"),
    "schedule-of-a-word": row(
        call("schedule", "CosineDecay", "fast", "10"), SpecError, "JSON literal", "'fast'"
    ),
    "schedule-of-code": row(
        call("schedule", "CosineDecay", "__import__('os')", "10"), SpecError, "__import__"
    ),
    "schedule-nan": row(call("schedule", "CosineDecay", "NaN", "10"), SpecError, "'NaN'"),
    "schedule-without-arguments": row(call("schedule", "CosineDecay"), SpecError, "CosineDecay"),
    "schedule-pair": row(
        call("schedule", "CosineDecay", "--arg", "decay_steps"), SpecError, "name=value"
    ),
    "schedule-steps-0": row(
        call("schedule", "CosineDecay", "0.1", "10", "--steps", "0"), USAGE, "--steps"
    ),
    "schedule-plot-suffix": row(
        call("schedule", "CosineDecay", "0.1", "10", "--plot", "{at}/a.xyz"),
        USAGE,
        "--plot",
        ".svg",
    ),
    "schedule-list-of-texts": row(
        call("schedule", "cosine_decay_lr", '"a"', "0.1", "9", "3", "1"),
        ScheduleTypeError,
        "min_lr",
    ),
    "schema-to-no-folder": row(call("schema", "--out", "{at}/no/a.json"), DataError, "no"),
    "launch-without-command": row(call("launch", "-n", "2"), ArgumentError, "launch", "worker"),
    "launch-without-workers": row(call("launch", "true"), USAGE, "--workers"),
    "launch-of-hosts-broken": row(
        call("launch", "--hosts", "node[1-", "true"), ArgumentError, "--hosts", "node[1-"
    ),
    "launch-of-an-unknown-file": row(
        call("launch", "--hosts", "{at}/table.json", "true"), ArgumentError, "table.json"
    ),
    "launch-host-beyond": row(
        call("launch", "--hosts", "a,b", "-n", "1", "--host-number", "7", "true"),
        ArgumentError,
        "7",
    ),
    "conformance-unknown-backend": row(
        call("conformance", "--backend", "torch"), BackendError, "'torch'"
    ),
    "conformance-unknown-variant": row(
        call("conformance", "--backend", "reference", "--variant", "fast"), BackendError, "'fast'"
    ),
    "conformance-select-nothing": row(
        call("conformance", "--backend", "reference", "--select", "nothing at all"),
        USAGE,
        "nothing at all",
    ),
    "conformance-against-noise": row(
        call("conformance", "--backend", "reference", "--against", "{at}/a.json", a_json="{"),
        SpecError,
        "a.json",
    ),
}

ROWS = {**TRAINING, **OTHERS}
