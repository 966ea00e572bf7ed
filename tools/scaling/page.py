"""The page of measured and modelled throughput, with its picture."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from dnnbridge.base.machine import machine
from dnnbridge.drawing.curves import Curve, Panel
from dnnbridge.drawing.panels import drawing_of
from scaling.links import BATCH, COUNTS, LABELS, LINKS, SPEEDS
from scaling.messages import messages_of
from scaling.model import Compute, Link, Training, ring
from scaling.nets import NETS, RESIDUAL, Net
from scaling.texts import CHECK, HEAD, MESSAGES, MODEL, RATES, STRONG, SUMS, WEAK
from scaling.times import STEPS, Times

FOLDER = Path(__file__).parents[2] / "docs" / "measurements"

Backends = Mapping[str, Times]


def write(backends: Backends) -> None:
    """Write the page and its picture."""
    (FOLDER / "scaling.md").write_text(text_of(backends), "utf-8")
    (FOLDER / "scaling.svg").write_text(_picture(backends) + "\n", "utf-8")


def text_of(backends: Backends) -> str:
    """Return the page."""
    measured = {f"{n.title}, {b}": (t, k, n) for b, t in backends.items() for k, n in NETS.items()}
    parts = [
        _head(backends),
        *(_row([title, *_steps(*each)]) for title, each in measured.items()),
        RATES,
        *(_row([title, *_rates(*each)]) for title, each in measured.items()),
        MESSAGES,
        *(messages_row(net) for net in (*NETS.values(), RESIDUAL)),
        SUMS,
        *_sums(backends),
        CHECK,
        *(_row([title, *_checked(*each)]) for title, each in measured.items()),
        MODEL.format(links="\n".join(map(_link, LINKS))),
    ]
    for name, net in NETS.items():
        backend, compute = _fastest(backends, name)
        parts += [f"\n### {net.title}\n", _computed(backend, compute)]
        parts += [STRONG.format(batch=BATCH), *_efficiencies(net, compute, weak=False)]
        parts += [WEAK.format(rows=net.batch), *_efficiencies(net, compute, weak=True)]
    return "\n".join(parts) + "\n"


def _head(backends: Backends) -> str:
    return HEAD.format(
        machine=machine(),
        versions=", ".join(_versions((*backends, "numpy"))),
        load=max(times.load for times in backends.values()),
        turns=min(times.turns for times in backends.values()),
        steps=STEPS,
    )


def _versions(packages: Iterable[str]) -> Iterable[str]:
    for name in packages:
        with suppress(PackageNotFoundError):  # the reference is a part of this package
            yield f"{name} {version(name)}"


def _steps(times: Times, name: str, net: Net) -> Iterable[str]:
    """Yield the steps of one and two workers: with the same batch, and with twice of it."""
    b = net.batch
    yield str(b)
    yield _ms(times.of(name, f"one {b}"))
    for rows in (b, 2 * b):
        one, two = f"one {b}", f"two {rows}"
        quartiles = rows / b * times.of(name, one) / times.of(name, two)
        yield _ms(times.of(name, two))
        yield f"{quartiles:.2f} ({rows / b * times.ratio(name, one, two):.2f})"
    yield _ms(times.difference(name, f"two {b}", f"beside {b // 2}"))


def _rates(times: Times, name: str, net: Net) -> Iterable[str]:
    b = net.batch
    for case, rows in (("one", b), ("two", b), ("two", 2 * b)):
        yield f"{rows / times.of(name, f'{case} {rows}'):,.0f}"


def messages_row(net: Net) -> str:
    """Return the messages of a net as a row of a table."""
    sizes = messages_of(net.experiment())
    parameters = net.model().summary().parameters
    return _row(
        [net.title, f"{parameters:,}", f"{len(sizes)}", f"{sum(sizes):,}", f"{max(sizes):,}"]
    )


def _sums(backends: Backends) -> Iterable[str]:
    sizes = list(next(iter(backends.values())).sums())
    yield _row(["bytes", *(f"{size:,}" for size in sizes), "a, µs", "B, GB/s"])
    yield "|---" * (len(sizes) + 3) + "|"
    for backend, times in backends.items():
        found, link = times.sums(), times.link()
        yield _row([backend, *(_ms(found[size]) for size in sizes), *_numbers(link)])


def _numbers(link: Link) -> list[str]:
    return [f"{link.latency * 1e6:.0f}", f"{link.bandwidth / 1e9:.2f}"]


def _checked(times: Times, name: str, net: Net) -> Iterable[str]:
    """Yield what the model says of two workers here, and what was measured."""
    half, measured = net.batch // 2, times.of(name, f"two {net.batch}")
    summing = sum(ring(2, size, times.link()) for size in messages_of(net.experiment()))
    computing = [times.of(name, f"{case} {half}") for case in ("one", "beside")]
    yield from map(_ms, (*computing, summing, measured))
    for seconds in computing:
        guess = seconds + summing
        error = round(guess / measured - 1, 2) + 0.0  # no negative zero
        yield f"{_ms(guess)} ({error:+.0%})"


def _link(link: Link) -> str:
    return _row([link.name, f"{link.bandwidth / 1e9:g}", f"{link.latency * 1e6:g}"])


def _fastest(backends: Backends, net: str) -> tuple[str, Compute]:
    """Return the backend that computes a row in the least time, and its time."""
    found = {backend: times.compute(net) for backend, times in backends.items()}
    return min(found.items(), key=lambda pair: pair[1].row)


def _computed(backend: str, compute: Compute) -> str:
    return (
        f"Computing as here, on {backend} with one thread: {compute.fixed * 1e3:.2f} ms a step and "
        f"{compute.row * 1e6:.0f} µs a row."
    )


def _efficiencies(net: Net, compute: Compute, weak: bool) -> Iterable[str]:
    yield _row(["link, computing", *(f"{count:,}" for count in COUNTS)])
    yield "|---" * (len(COUNTS) + 1) + "|"
    for link in LINKS:
        for speed in SPEEDS:
            made = _curve(net, compute.faster(speed), link, weak)
            yield _row([f"{link.name}, {speed} x", *map(_percent, made)])


def _curve(net: Net, compute: Compute, link: Link, weak: bool) -> Sequence[float]:
    training = Training(compute, messages_of(net.experiment()), link)
    return [training.weak(n, net.batch) if weak else training.strong(n, BATCH) for n in COUNTS]


def _picture(backends: Backends) -> str:
    """Return the efficiency of the wide net by link, with computing as here and much faster."""
    net, (_, compute) = NETS["wide"], _fastest(backends, "wide")
    panels = []
    for weak, what in ((False, "same batch"), (True, "same rows each")):
        for speed in (SPEEDS[0], SPEEDS[-1]):
            curves = tuple(
                Curve(
                    label,
                    range(1, len(COUNTS) + 1),
                    _curve(net, compute.faster(speed), link, weak),
                    number,
                )
                for number, (link, label) in enumerate(zip(LINKS, LABELS, strict=True))
            )
            title = f"Efficiency, {what}, computing {speed} x"
            panels.append(Panel(title, curves, "log2 of the number of workers"))
    return drawing_of(panels).svg


def _percent(part: float) -> str:
    return f"{100 * part:.0f}" if part >= 0.005 else "<1"


def _ms(seconds: float) -> str:
    return f"{seconds * 1e3:.2f}" if abs(seconds) < 0.01 else f"{seconds * 1e3:.1f}"


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
