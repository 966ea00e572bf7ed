"""`launch --hosts` understands lists, Slurm, Kubernetes, TF_CONFIG and rank tables."""

from __future__ import annotations

import json

import pytest

from dnnbridge.base.cluster import Cluster
from dnnbridge.errors import ArgumentError
from dnnbridge.launching.addresses import at_addresses
from dnnbridge.launching.hosts import Hosts, hosts_of

CONFIG = {"cluster": {"worker": ["a:1000", "b:2000"]}, "task": {"type": "worker", "index": 1}}


def table(*devices):
    servers = [
        {"server_id": f"10.0.0.{i}", "device": [{"device_id": str(d)} for d in range(count)]}
        for i, count in enumerate(devices)
    ]
    return json.dumps({"version": "1.0", "server_count": "2", "server_list": servers})


@pytest.mark.parametrize(
    ("given", "environment", "expected"),
    [
        ("a,b", {}, Hosts(("a", "b"))),
        ("a, b", {}, Hosts(("a", "b"))),
        ("n[08-10,3].x,m", {}, Hosts(("n08.x", "n09.x", "n10.x", "n3.x", "m"))),
        ("r[1-2]n[1-2]", {}, Hosts(("r1n1", "r1n2", "r2n1", "r2n2"))),
        ("t-[0-1].t", {"JOB_COMPLETION_INDEX": "1"}, Hosts(("t-0.t", "t-1.t"), 1)),
        ("slurm", {"SLURM_JOB_NODELIST": "g[1-2]", "SLURM_NODEID": "0"}, Hosts(("g1", "g2"), 0)),
        (
            "slurm",
            {"SLURM_JOB_NODELIST": "g[1-9]", "SLURM_STEP_NODELIST": "g[3,5]", "SLURM_NODEID": "1"},
            Hosts(("g3", "g5"), 1),
        ),
        (
            "tf_config",
            {"TF_CONFIG": json.dumps(CONFIG)},
            Hosts(("a", "b"), 1, 1, ("a:1000", "b:2000")),
        ),
    ],
    ids=["list", "spaces", "ranges", "two_ranges", "kubernetes", "slurm", "step", "tf_config"],
)
def test_hosts(given, environment, expected):
    assert hosts_of(given, environment) == expected


def test_a_rank_table(tmp_path):
    file = tmp_path / "table.json"
    file.write_text(table(8, 8))
    assert hosts_of(str(file), {}) == Hosts(("10.0.0.0", "10.0.0.1"), None, 8)
    file.write_text(table(8, 4))
    with pytest.raises(ArgumentError, match=r"servers with \[4, 8\] devices"):
        hosts_of(str(file), {})


@pytest.mark.parametrize(
    ("given", "environment", "said"),
    [
        ("slurm", {}, "SLURM_STEP_NODELIST.*srun"),
        ("a[x-y]", {}, "'x' in a"),
        ("a", {"SLURM_NODEID": "one"}, "'one' in the number of this host"),
        ("tf_config", {}, "TF_CONFIG: JSONDecodeError"),
        ("tf_config", {"TF_CONFIG": "{}"}, "TF_CONFIG: KeyError"),
        (
            "tf_config",
            {"TF_CONFIG": json.dumps(CONFIG | {"task": {"type": "ps", "index": 0}})},
            "TF_CONFIG with a ps",
        ),
        ("missing.json", {}, "missing.json: FileNotFoundError"),
    ],
    ids=["no_slurm", "range", "number", "no_config", "empty_config", "server", "no_table"],
)
def test_what_says_no_hosts_is_refused(given, environment, said):
    with pytest.raises(ArgumentError, match=said):
        hosts_of(given, environment)


def test_one_worker_at_known_addresses():
    (cluster,) = at_addresses(["a:1000", "b:2000"], 1, 60)
    assert cluster == Cluster(("a:1000", "b:2000"), 1, "a:1001", 60)
