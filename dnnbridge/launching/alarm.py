"""`Alarm`: the launches of several hosts tell each other that a worker has failed."""

from __future__ import annotations

import json
import logging
import socket
import threading
import time
from contextlib import suppress
from types import TracebackType
from typing import Any, NamedTuple, Self

log = logging.getLogger(__name__)

LONGEST = 10_000
"""Largest number of bytes of a message."""

AGAIN = 0.5
"""Seconds between two attempts to reach the first host."""

KEPT_ALIVE = {"TCP_KEEPIDLE": 5, "TCP_KEEPINTVL": 2, "TCP_KEEPCNT": 3}
"""A host that is gone without a word is noticed after 5 + 2 · 3 seconds, where the system can."""


class Heard(NamedTuple):
    """What another host said."""

    host: str
    text: str


class Alarm:
    """A link between the launches of all hosts: the first listens, the others connect.

    Workers of MindSpore notice a lost worker of another host after about 50 s, those of TensorFlow
    after 11 s. A host that cannot be reached is no error: its workers then find out by themselves.

    Args:
        hosts: names or addresses of all hosts.
        number: the place of this one.
        port: where the first listens.

    Example:
        >>> with Alarm(["127.0.0.1"], 0, 0) as alarm:
        ...     alarm.heard
    """

    def __init__(self, hosts: tuple[str, ...], number: int, port: int) -> None:
        self._name, self._first, self._port = hosts[number], hosts[0], port
        self._listens = number == 0
        self._links: dict[socket.socket, str] = {}
        self._failures: dict[int, Heard] = {}
        self._attempt, self._ending = 0, False
        self._lock = threading.Lock()
        self._server: socket.socket | None = None

    def __enter__(self) -> Self:
        if self._listens:
            self._server = self._bound()
        if self._server or not self._listens:
            self._start(self._accept if self._listens else self._connect)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._ending = True
        self._send({"host": self._name, "done": True})
        with self._lock:
            for each in [*self._links, *([self._server] if self._server else [])]:
                with suppress(OSError):
                    each.shutdown(socket.SHUT_RDWR)
                each.close()
            self._links.clear()

    def begin(self, attempt: int) -> None:
        """Begin an attempt of the job; failures of earlier ones do not count any more."""
        self._attempt = attempt

    @property
    def heard(self) -> Heard | None:
        """The other host in which this attempt failed; None if there is none."""
        return self._failures.get(self._attempt)

    @property
    def known(self) -> list[str]:
        """The hosts that are linked now: the first knows all, the others know the first."""
        with self._lock:
            return sorted(host for host in self._links.values() if host)

    @property
    def address(self) -> tuple[str, int]:
        """Where the first host listens."""
        return self._first, self._port

    def tell(self, text: str) -> None:
        """Tell the other hosts that this attempt failed here."""
        said = text[: LONGEST // 8]
        self._send({"host": self._name, "attempt": self._attempt, "failed": said})

    def _bound(self) -> socket.socket | None:
        try:
            return socket.create_server((self._first, self._port))
        except OSError as error:
            log.warning(
                "cannot listen on %s:%d (%s), so failures of other hosts are noticed late",
                *(self._first, self._port, error),
            )
            return None

    def _accept(self) -> None:
        while not self._ending and self._server:
            try:
                link, _ = self._server.accept()
            except OSError:
                return
            self._start(self._listen, link)

    def _connect(self) -> None:
        while not self._ending:
            try:
                link = socket.create_connection((self._first, self._port), timeout=5)
            except OSError:
                time.sleep(AGAIN)
                continue
            link.settimeout(None)
            if self._listen(link):
                return

    def _listen(self, link: socket.socket) -> bool:
        """Read the messages of a link until it ends; return whether its host is done."""
        _keep_alive(link)
        with self._lock:
            self._links[link] = "" if self._listens else self._first
        self._send({"host": self._name}, only=link)
        done = False
        with suppress(OSError), link, link.makefile("rb") as lines:
            while not done and (line := lines.readline(LONGEST)):
                done = self._read(link, line)
        with self._lock:
            host = self._links.pop(link, "")
        if host and not done and not self._ending:
            self._note(self._attempt, Heard(host, "the launch of this host was lost"))
        return done

    def _read(self, link: socket.socket, line: bytes) -> bool:
        """Take a message; return whether it says that its host is done."""
        message = _message(line)
        if message is None:
            return False
        host = message["host"]
        if self._listens:
            self._links[link] = host
        if "failed" in message:
            self._note(message["attempt"], Heard(host, message["failed"]))
            if self._listens:
                self._send(message, but=link)
        return "done" in message and host == self._links.get(link)

    def _note(self, attempt: int, heard: Heard) -> None:
        self._failures.setdefault(attempt, heard)

    def _send(
        self,
        message: dict[str, Any],
        only: socket.socket | None = None,
        but: socket.socket | None = None,
    ) -> None:
        line = json.dumps(message).encode() + b"\n"
        with self._lock:
            for link in [only] if only else list(self._links):
                if link is not but:
                    with suppress(OSError):
                        link.sendall(line)

    def _start(self, work: Any, *given: Any) -> None:
        threading.Thread(target=work, args=given, daemon=True).start()


def alarm_of(hosts: tuple[str, ...], count: int, port: int, number: int) -> Alarm:
    """Return the alarm of a launch: its port follows those of the workers (`on_hosts`)."""
    return Alarm(hosts, number, port + count + 1)


def _message(line: bytes) -> dict[str, Any] | None:
    """Return a message whose values have their types; None for anything else."""
    try:
        read = json.loads(line)
    except ValueError:
        return None
    kinds = {"host": str, "attempt": int, "failed": str, "done": bool}
    if not isinstance(read, dict) or not isinstance(read.get("host"), str):
        return None
    if any(not isinstance(value, kinds.get(name, ())) for name, value in read.items()):
        return None
    if ("failed" in read) != ("attempt" in read):
        return None
    return {name: _printable(v) if isinstance(v, str) else v for name, v in read.items()}


def _printable(text: str) -> str:
    """Return a text without the characters that could move the cursor of a terminal."""
    return "".join(c if c.isprintable() or c == "\n" else "?" for c in text)


def _keep_alive(link: socket.socket) -> None:
    link.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in KEPT_ALIVE.items():
        if option := getattr(socket, name, None):
            with suppress(OSError):
                link.setsockopt(socket.IPPROTO_TCP, option, value)
