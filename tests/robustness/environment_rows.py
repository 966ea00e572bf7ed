"""Bad values of environment variables; each is read where a run is compiled or trained."""

from __future__ import annotations

import os
from contextlib import contextmanager

from robustness.row import X, Y, experiment, on_each, row

import dnnbridge as db
from dnnbridge.datasets import load_dataset
from dnnbridge.errors import ArgumentError, BackendError, DataError, DeviceError
from dnnbridge.launching.hosts import hosts_of


@contextmanager
def variables(**given):
    before = dict(os.environ)
    os.environ.update(given)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def compiled(**given):
    """Return what compiles and trains with these variables."""

    def does(c):
        with variables(**given):
            named = {"DNNBRIDGE_BACKEND", "DNNBRIDGE_DEVICE"} & given.keys()
            run = db.compile(experiment(), None if "DNNBRIDGE_BACKEND" in named else c.backend)
            run.fit(X, Y, 2, verbose=0)

    return does


def data(text, **given):
    def does(c):
        with variables(**given):
            load_dataset(text)

    return does


def scheduled(**given):
    return lambda c: hosts_of("tf_config" if "TF_CONFIG" in given else "slurm", given)


ROWS = {
    "backend-unknown": row(
        compiled(DNNBRIDGE_BACKEND="torch"), BackendError, "DNNBRIDGE_BACKEND", "torch"
    ),
    "backend-of-code": row(
        compiled(DNNBRIDGE_BACKEND="os;system"), BackendError, "DNNBRIDGE_BACKEND", "os;system"
    ),
    "device-unknown": on_each(
        compiled(DNNBRIDGE_DEVICE="tpu"), DeviceError, "DNNBRIDGE_DEVICE", "tpu"
    ),
    "device-of-no-number": on_each(
        compiled(DNNBRIDGE_DEVICE="cpu:x"), DeviceError, "DNNBRIDGE_DEVICE", "cpu:x"
    ),
    "device-below-0": on_each(
        compiled(DNNBRIDGE_DEVICE="cpu:-1"), DeviceError, "DNNBRIDGE_DEVICE", "cpu:-1"
    ),
    "kernels-unknown": on_each(
        compiled(DNNBRIDGE_KERNELS="convolution"), BackendError, "DNNBRIDGE_KERNELS", "convolution"
    ),
    "kernels-of-no-names": on_each(
        compiled(DNNBRIDGE_KERNELS="=,=,="), BackendError, "DNNBRIDGE_KERNELS", "pairs", "'='"
    ),
    "kernels-of-no-candidate": on_each(
        compiled(DNNBRIDGE_KERNELS="tensorflow.conv="), BackendError, "pairs", "'tensorflow.conv='"
    ),
    "kernels-of-no-group": on_each(
        compiled(DNNBRIDGE_KERNELS="mindspore.conv=native,tensorflow.con=slices"),
        BackendError,
        "DNNBRIDGE_KERNELS",
        "'tensorflow.con'. Did you mean 'tensorflow.conv'?",
    ),
    "kernels-of-no-backend": on_each(
        compiled(DNNBRIDGE_KERNELS="torch.conv=slices"), BackendError, "no backend", "'torch.conv'"
    ),
    "kernels-of-no-such-form": on_each(
        compiled(DNNBRIDGE_KERNELS="tensorflow.conv=slice"),
        BackendError,
        "'slice'. Did you mean 'slices'?",
    ),
    "kernels-of-a-group-twice": on_each(
        compiled(DNNBRIDGE_KERNELS="tensorflow.conv=slices,tensorflow.conv=native"),
        BackendError,
        "tensorflow.conv is there twice",
    ),
    "kernels-of-a-form-twice": on_each(
        compiled(DNNBRIDGE_KERNELS="tensorflow.conv=slices/slices"), BackendError, "twice"
    ),
    "kernels-of-two-where-one-is-chosen": on_each(
        compiled(DNNBRIDGE_KERNELS="mindspore.conv=slices/native"), BackendError, "takes one"
    ),
    "memory-a-word": on_each(
        compiled(DNNBRIDGE_RESIDENT_MIB="much"), DataError, "DNNBRIDGE_RESIDENT_MIB", "much"
    ),
    "memory-below-0": on_each(
        compiled(DNNBRIDGE_RESIDENT_MIB="-1"), DataError, "DNNBRIDGE_RESIDENT_MIB", "-1"
    ),
    "rank-a-word": on_each(
        compiled(DNNBRIDGE_WORKERS="a:1,b:1", DNNBRIDGE_RANK="first"),
        BackendError,
        "DNNBRIDGE_RANK",
        "'first'",
    ),
    "rank-missing": on_each(
        compiled(DNNBRIDGE_WORKERS="a:1,b:1"),
        BackendError,
        "DNNBRIDGE_RANK: is missing",
        "''",
        "`dnnbridge launch` sets",
    ),
    "workers-a-number": on_each(
        compiled(DNNBRIDGE_WORKERS="2"),
        BackendError,
        "DNNBRIDGE_WORKERS: must be host:port",
        "'2'",
        "`dnnbridge launch` sets",
    ),
    "rank-too-high": on_each(
        compiled(DNNBRIDGE_WORKERS="a:1,b:1", DNNBRIDGE_RANK="2"),
        BackendError,
        "DNNBRIDGE_RANK",
        "2",
    ),
    "meeting-a-word": on_each(
        compiled(DNNBRIDGE_WORKERS="a:1", DNNBRIDGE_RANK="0", DNNBRIDGE_MEETING_SECONDS="long"),
        BackendError,
        "DNNBRIDGE_MEETING_SECONDS",
        "'long'",
    ),
    "data-missing": row(data("mnist", DNNBRIDGE_DATA=""), DataError, "DNNBRIDGE_DATA"),
    "data-in-no-folder": row(
        data("mnist", DNNBRIDGE_DATA="/no/such/folder"), DataError, "not a folder"
    ),
    "data-npz-missing": row(
        data("mnist", DNNBRIDGE_DATA="/no/mnist.npz"), DataError, "/no/mnist.npz"
    ),
    "tf-config-no-json": row(scheduled(TF_CONFIG="{"), ArgumentError, "TF_CONFIG"),
    "tf-config-a-list": row(scheduled(TF_CONFIG="[]"), ArgumentError, "TF_CONFIG"),
    "slurm-list-broken": row(
        scheduled(SLURM_NODEID="0", SLURM_JOB_NODELIST="node[1-"), ArgumentError, "node[1-"
    ),
    "slurm-number-a-word": row(
        scheduled(SLURM_NODEID="x", SLURM_JOB_NODELIST="node1"), ArgumentError, "x"
    ),
    "a-billion-hosts": row(
        scheduled(SLURM_JOB_NODELIST="node[1-999999999]"), ArgumentError, "999999999"
    ),
    "no-scheduler": row(scheduled(), ArgumentError, "--hosts"),
}
