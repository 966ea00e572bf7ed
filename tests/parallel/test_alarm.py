"""Launches of several hosts tell each other that a worker failed, here all on this machine."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import ExitStack, suppress

import pytest

from dnnbridge.launching.alarm import Alarm

HERE = "127.0.0.1"
HOSTS = (HERE, "127.0.0.2", "127.0.0.3")


def free_port():
    with socket.socket() as free:
        free.bind((HERE, 0))
        return free.getsockname()[1]


def eventually(happened, seconds=10.0):
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if found := happened():
            return found
        time.sleep(0.01)
    raise AssertionError("it did not happen")


@pytest.fixture
def alarms():
    port = free_port()
    with ExitStack() as stack:
        made = [stack.enter_context(Alarm(HOSTS, n, port)) for n in range(3)]
        eventually(lambda: set(made[0].known) == set(HOSTS[1:]))
        yield made


@pytest.mark.parametrize("failing", range(3))
def test_all_others_hear_of_a_failure(alarms, failing):
    alarms[failing].tell("worker 3 failed")
    for each in alarms:
        if each is not alarms[failing]:
            heard = eventually(lambda each=each: each.heard)
            assert heard == (HOSTS[failing], "worker 3 failed")
    assert alarms[failing].heard is None


def test_failures_of_earlier_attempts_do_not_count(alarms):
    for each in alarms:
        each.begin(1)
    alarms[1].begin(0)
    alarms[1].tell("early")
    alarms[1].begin(1)
    alarms[1].tell("late")
    assert eventually(lambda: alarms[2].heard).text == "late"


def test_a_host_that_is_done_is_not_lost(alarms):
    alarms[1].__exit__(None, None, None)
    eventually(lambda: alarms[0].known == [HOSTS[2]])
    alarms[0].__exit__(None, None, None)
    eventually(lambda: alarms[2].known == [])
    assert [each.heard for each in alarms] == [None, None, None]


def test_what_is_no_message_is_ignored(alarms):
    address = alarms[0].address
    for words in (
        b"\xff\n",
        b"[]\n",
        b'{"host": 3}\n',
        b'{"host": "x", "failed": "y"}\n',
        b"{" * 20_000,
    ):
        with socket.create_connection(address) as link:
            link.sendall(words)
    with socket.create_connection(address) as link:
        message = {"host": "x", "attempt": 0, "failed": "\x1b[2Jgone"}
        link.sendall(json.dumps(message).encode() + b"\n")
        assert eventually(lambda: alarms[1].heard) == ("x", "?[2Jgone")


def test_a_first_host_that_cannot_listen_goes_on(caplog):
    taken = socket.create_server((HERE, 0))
    with taken, Alarm(HOSTS, 0, taken.getsockname()[1]) as alarm:
        alarm.tell("nobody hears this")
        assert alarm.heard is None
    assert "cannot listen" in caplog.text


def launches(port, *words, options=()):
    command = [sys.executable, "-m", "dnnbridge", "launch", "-n", "1", "--port", str(port)]
    command += ["--hosts", ",".join(HOSTS[:2]), *options, "--", "python", "-c", *words]
    return [
        subprocess.Popen(
            [*command[:4], "--host-number", str(number), *command[4:]],
            stderr=subprocess.PIPE,
            text=True,
            env=dict(os.environ, HOST=str(number)),
        )
        for number in (0, 1)
    ]


def test_a_worker_that_fails_ends_the_workers_of_other_hosts():
    program = "import os, time; time.sleep(1); time.sleep(60 * (os.environ['HOST'] == '0')); 1 / 0"
    begun = time.monotonic()
    first, second = launches(free_port(), program)
    said = [each.communicate(timeout=50)[1] for each in (first, second)]
    assert time.monotonic() - begun < 40
    assert (first.returncode, second.returncode) == (1, 1)
    assert "host 127.0.0.2: the job failed on another host" in said[0]
    assert "exit status 1" in said[0]
    assert "ZeroDivisionError" in said[0]


def test_a_launch_that_is_killed_ends_the_workers_of_other_hosts(tmp_path):
    program = (
        f"import os, time; file = open({str(tmp_path)!r} + '/' + os.environ['HOST'], 'w'); "
        "file.write(str(os.getpid())); file.close(); time.sleep(60)"
    )
    first, second = launches(free_port(), program)
    eventually(
        lambda: all((tmp_path / n).exists() and (tmp_path / n).read_text() for n in "01"), 40
    )
    time.sleep(2)  # the link is made in the background
    second.kill()
    said = first.communicate(timeout=40)[1]
    assert "host 127.0.0.2: the job failed on another host" in said
    assert "the launch of this host was lost" in said
    second.communicate(timeout=10)
    with suppress(ProcessLookupError):
        os.kill(int((tmp_path / "1").read_text()), signal.SIGKILL)


def test_all_hosts_start_again(tmp_path):
    program = (
        "import os, time; host, attempt = os.environ['HOST'], os.environ['DNNBRIDGE_ATTEMPT']; "
        f"open({str(tmp_path)!r} + f'/{{host}}-{{attempt}}', 'w'); "
        "time.sleep(3 if attempt == '0' else 0); "
        "time.sleep(60 if (host, attempt) == ('0', '0') else 0); "
        "1 / (attempt != '0')"
    )
    first, second = launches(free_port(), program, options=("--restarts", "1"))
    said = [each.communicate(timeout=60)[1] for each in (first, second)]
    assert (first.returncode, second.returncode) == (0, 0), said
    assert {path.name for path in tmp_path.iterdir()} == {"0-0", "0-1", "1-0", "1-1"}
