"""`dnnbridge launch` starts workers, watches over them and names the one that failed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import pytest

from dnnbridge.base.cluster import Cluster, this_cluster
from dnnbridge.errors import ArgumentError, BackendError
from dnnbridge.launching.addresses import on_hosts, on_this_host
from dnnbridge.launching.command import command_of

WAIT = "import time; time.sleep(120)"


def launch(*words, timeout=60):
    """Run `dnnbridge launch`, and return the finished process and its seconds."""
    begun = time.monotonic()
    command = [sys.executable, "-m", "dnnbridge", "launch", *map(str, words)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=timeout)
    return done, time.monotonic() - begun


def program(tmp_path, text):
    file = tmp_path / "program.py"
    file.write_text(f"import os, sys\nrank = int(os.environ['DNNBRIDGE_RANK'])\n{text}\n")
    return file


def test_each_worker_knows_its_number_and_only_the_first_is_shown(tmp_path):
    file = program(
        tmp_path,
        "print('worker', rank, len(os.environ['DNNBRIDGE_WORKERS'].split(',')), sys.argv[1:])",
    )
    done, _ = launch("-n", 3, "--logs", tmp_path / "logs", "--", file, "-x", "--restarts")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "worker 0 3 ['-x', '--restarts']\n"
    logs = {path.name: path.read_text() for path in (tmp_path / "logs").iterdir()}
    assert logs == {
        f"worker-{rank}.log": f"worker {rank} 3 ['-x', '--restarts']\n" for rank in (1, 2)
    }


@pytest.mark.parametrize(
    ("end", "said"),
    [
        ("sys.exit(3)", "exit status 3"),
        ("os.kill(os.getpid(), 9)", "signal SIGKILL"),
        ("raise ValueError('no luck')", "ValueError: no luck"),
    ],
    ids=["exit", "killed", "error"],
)
def test_the_message_names_the_worker_that_failed(tmp_path, end, said):
    file = program(
        tmp_path, f"if rank == 1:\n    print('last words', flush=True)\n    {end}\n{WAIT}"
    )
    done, seconds = launch("-n", 3, "--", file)
    assert done.returncode == 1
    assert "worker 1 of 3 on this host failed" in done.stderr
    assert said in done.stderr
    assert "last words" in done.stderr
    assert seconds < 15


def test_workers_that_ignore_sigterm_and_what_they_started_are_ended(tmp_path):
    text = f"""
import signal, subprocess, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
if rank == 0:
    child = subprocess.Popen([sys.executable, "-c", "{WAIT}"])
    open("child", "w").write(str(child.pid))
    time.sleep(120)
while not os.path.exists("child"):
    time.sleep(0.1)
sys.exit(1)
"""
    file = program(tmp_path, f"os.chdir({str(tmp_path)!r})\n{text}")
    done, seconds = launch("-n", 2, "--", "python", file)
    assert done.returncode == 1
    assert seconds < 15
    pid = int((tmp_path / "child").read_text())
    assert _is_gone(pid)


def _is_gone(pid):
    for _ in range(50):
        try:
            with open(f"/proc/{pid}/stat") as file:
                if file.read().rpartition(")")[2].split()[0] == "Z":
                    return True
        except OSError:
            return True
        time.sleep(0.1)
    return False


def test_all_workers_start_again_as_often_as_asked(tmp_path):
    file = program(
        tmp_path,
        f"attempt = os.environ['DNNBRIDGE_ATTEMPT']\n"
        f"open({str(tmp_path)!r} + f'/{{rank}}-{{attempt}}', 'w')\n"
        f"if rank == 1 and attempt != '2': sys.exit(5)\n"
        f"if attempt != '2': {WAIT}",
    )
    done, _ = launch("-n", 2, "--restarts", 2, "--", file)
    assert done.returncode == 0
    assert done.stderr.count("worker 1 of 2 on this host failed") == 2
    assert "all workers start again (2 of 2)" in done.stderr
    done, _ = launch("-n", 2, "--restarts", 1, "--", file)
    assert done.returncode == 1


def test_workers_that_do_not_end_with_the_others_are_named(tmp_path):
    file = program(tmp_path, f"if rank == 1: {WAIT}")
    done, _ = launch("-n", 2, "--timeout", 1, "--", file)
    assert done.returncode == 1
    assert "1 s after the first worker had ended, others still ran, got worker 1" in done.stderr


def test_sigterm_reaches_the_workers(tmp_path):
    text = f"""
import signal, time
def end(*_):
    open({str(tmp_path)!r} + f"/{{rank}}", "w")
    sys.exit(0)
signal.signal(signal.SIGTERM, end)
print("ready", flush=True)
time.sleep(120)
"""
    command = [sys.executable, "-m", "dnnbridge", "launch", "-n", "1", "--"]
    process = subprocess.Popen(
        [*command, str(program(tmp_path, text))], stdout=subprocess.PIPE, text=True
    )
    with process:
        assert process.stdout.readline() == "ready\n"
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 143
    assert (tmp_path / "0").exists()


def test_workers_end_when_their_launch_is_killed(tmp_path):
    """After a SIGKILL the launch can end nothing itself; also what a worker started ends."""
    text = f"""
import subprocess, time
child = subprocess.Popen([sys.executable, "-c", "{WAIT}"])
open({str(tmp_path)!r} + f"/{{rank}}", "w").write(f"{{os.getpid()}} {{child.pid}}")
print("ready", flush=True) if rank == 0 else None
time.sleep(120)
"""
    command = [sys.executable, "-m", "dnnbridge", "launch", "-n", "2", "--"]
    process = subprocess.Popen(
        [*command, str(program(tmp_path, text))], stdout=subprocess.PIPE, text=True
    )
    with process:
        assert process.stdout.readline() == "ready\n"
        while not all((tmp_path / str(rank)).exists() for rank in (0, 1)):
            time.sleep(0.05)
        time.sleep(0.2)
        process.kill()
    pids = [int(pid) for rank in (0, 1) for pid in (tmp_path / str(rank)).read_text().split()]
    assert len(pids) == 4
    assert all(_is_gone(pid) for pid in pids)


def test_workers_have_time_to_save_after_one_sigterm(tmp_path):
    text = f"""
import signal, time
got = []
signal.signal(signal.SIGTERM, lambda *_: got.append(1))
print("ready", flush=True) if rank == 0 else None
while not got:
    time.sleep(0.05)
time.sleep(1 + rank)
open({str(tmp_path)!r} + f"/{{rank}}", "w").write(str(len(got)))
sys.exit(143)
"""
    command = [sys.executable, "-m", "dnnbridge", "launch", "-n", "2", "--"]
    process = subprocess.Popen(
        [*command, str(program(tmp_path, text))], stdout=subprocess.PIPE, text=True
    )
    with process:
        assert process.stdout.readline() == "ready\n"
        time.sleep(1)  # the second worker has set its handler too
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 143
    assert [(tmp_path / str(rank)).read_text() for rank in (0, 1)] == ["1", "1"]


@pytest.mark.parametrize("words", [[], ["no-such-program"]], ids=["none", "unknown"])
def test_a_command_is_needed(words):
    with pytest.raises(ArgumentError, match="launch"):
        command_of(words, ["train"])


@pytest.mark.parametrize(
    ("words", "made"),
    [
        (["train", "x.json"], [sys.executable, "-P", "-m", "dnnbridge", "train", "x.json"]),
        (["python", "x.py", "1"], [sys.executable, "x.py", "1"]),
        (["sh", "-c", "true"], ["sh", "-c", "true"]),
    ],
    ids=["own", "python", "program"],
)
def test_a_command_is_one_of_dnnbridge_or_a_program(words, made):
    assert command_of(words, ["train"]) == made


def test_a_cluster_comes_through_its_variables(monkeypatch):
    for cluster in [*on_this_host(3, 60), *on_hosts(["a", "b"], 2, 5000, 1, 300)]:
        for name, value in cluster.environment().items():
            monkeypatch.setenv(name, value)
        assert this_cluster() == cluster


def test_workers_of_several_hosts_have_numbers_and_ports():
    first, second = (on_hosts(["a", "b"], 2, 5000, number, 300) for number in (0, 1))
    assert [c.rank for c in first + second] == [0, 1, 2, 3]
    assert [c.local_rank for c in first + second] == [0, 1, 0, 1]
    assert {c.addresses for c in first + second} == {("a:5001", "a:5002", "b:5001", "b:5002")}
    assert {c.coordinator for c in first + second} == {"a:5000"}


def test_this_host_must_be_in_the_list():
    with pytest.raises(ArgumentError, match=r"--hosts.*not in the list.*--host-number"):
        on_hosts(["nowhere.invalid", "b.invalid"], 1, 5000, None, 300)
    with pytest.raises(ArgumentError, match="--host-number: must be from 0 to 1"):
        on_hosts(["a", "b"], 1, 5000, 2, 300)


@pytest.mark.parametrize("rank", ["", "x", "2", "-1"])
def test_a_wrong_number_in_the_variables_is_refused(monkeypatch, rank):
    monkeypatch.setenv("DNNBRIDGE_WORKERS", "a:1,b:1")
    monkeypatch.setenv("DNNBRIDGE_RANK", rank)
    with pytest.raises(BackendError, match="DNNBRIDGE_RANK"):
        this_cluster()


def test_without_the_variables_a_process_is_alone(monkeypatch):
    monkeypatch.delenv("DNNBRIDGE_WORKERS", raising=False)
    assert this_cluster() is None
    assert "DNNBRIDGE_WORKERS" not in os.environ


def test_addresses_on_this_host_are_free_and_different():
    clusters = on_this_host(4, 60)
    assert isinstance(clusters[0], Cluster)
    assert len({*clusters[0].addresses, clusters[0].coordinator}) == 5
