"""The model of many workers, and what is counted and fitted for it; `make scaling` measures."""

from __future__ import annotations

import itertools
import math
import threading

import numpy as np
import pytest
from scaling.fitting import compute_of, line, link_of
from scaling.messages import messages_of
from scaling.model import Compute, Link, Training, best, doubling, ring
from scaling.nets import NETS, RESIDUAL
from scaling.page import FOLDER, messages_row, text_of
from scaling.sums import FACTOR, NUMBERS, SUM, sum_program
from scaling.times import SUMS, Times
from scaling.together import Together

from dnnbridge.backend.plugins import load_backend
from dnnbridge.backend.workers import Workers
from dnnbridge.training.dividing import compile_part

LINK = Link("test", bandwidth=1e9, latency=1e-5)
COUNTS = [2**k for k in range(11)]
BATCH_NORMALIZATIONS = 19
"""Of ResNet-20."""


@pytest.mark.parametrize("sum_of", [ring, doubling, best])
def test_one_worker_sums_in_no_time(sum_of):
    assert sum_of(1, 1e6, LINK) == 0


def test_a_ring_sends_all_bytes_less_than_twice():
    assert ring(2, 1e6, LINK) == pytest.approx(2e-5 + 1e-3)
    assert ring(4, 1e6, LINK) == pytest.approx(6e-5 + 1.5e-3)
    fast = Link("no latency", LINK.bandwidth, 0.0)
    assert ring(1024, 1e6, fast) == pytest.approx(2e-3 * 1023 / 1024)


@pytest.mark.parametrize(("workers", "rounds"), [(2, 1), (3, 3), (8, 3), (9, 5), (1024, 10)])
def test_doubling_takes_rounds(workers, rounds):
    assert doubling(workers, 1e6, LINK) == pytest.approx(rounds * (1e-5 + 1e-3))


def test_small_messages_are_doubled_and_large_ones_go_round():
    assert best(1024, 4, LINK) == doubling(1024, 4, LINK) < ring(1024, 4, LINK)
    assert best(8, 1e8, LINK) == ring(8, 1e8, LINK) < doubling(8, 1e8, LINK)


@pytest.mark.parametrize("kind", ["strong", "weak"])
def test_efficiency_falls_with_every_worker_more(kind):
    training = Training(Compute(1e-3, 1e-5), [4, 1e6], LINK)
    made = [getattr(training, kind)(count, 1024) for count in COUNTS]
    assert made[0] == 1
    assert all(a > b > 0 for a, b in itertools.pairwise(made))


def test_efficiency_by_hand():
    training = Training(Compute(0.1, 0.01), [1e6], Link("slow", 1e6, 0.0), ring)
    assert training.weak(2, 10) == pytest.approx(0.2 / (0.2 + 1.0))
    assert training.strong(2, 10) == pytest.approx(0.2 / (2 * (0.15 + 1.0)))
    assert training.strong(4, 10) == pytest.approx(0.2 / (4 * (0.1 + 0.03 + 1.5)))


def test_limits_of_efficiency():
    at_once = Link("at once", math.inf, 0.0)
    assert Training(Compute(0.0, 1.0), [1e9], at_once).strong(1024, 1024) == 1
    assert Training(Compute(5.0, 1.0), [1e9], at_once).weak(1024, 7) == 1
    fixed = Training(Compute(1.0, 0.0), [], LINK)  # nothing to divide
    assert fixed.strong(1024, 1024) == 1 / 1024
    slow = Training(Compute(1e-3, 1e-5), [1e6], LINK)
    fast = Training(slow.compute.faster(100), [1e6], LINK)
    assert fast.weak(64, 32) < slow.weak(64, 32)


def test_lines_are_found():
    assert line({x: 2 + 3 * x for x in (1.0, 10.0, 100.0)}) == pytest.approx((2, 3))
    assert line({1.0: 1.0, 2.0: 4.0})[0] == 0
    assert line({1.0: 4.0, 2.0: 1.0})[1] == 0
    link = link_of("found", {size: ring(2, size, LINK) for size in (4.0, 1e4, 1e6)})
    assert (link.bandwidth, link.latency) == pytest.approx((LINK.bandwidth, LINK.latency))
    assert compute_of({8.0: 1.0, 64.0: 1.0}) == Compute(1.0, 0.0)


def weights_of(experiment):
    program = experiment.program()
    return sum(program.state[name].type.size() for name in program.parameters)


@pytest.mark.parametrize("name", NETS)
def test_a_step_sums_gradients_the_loss_and_a_metric(name):
    experiment = NETS[name].experiment()
    assert sum(messages_of(experiment)) == 4 * (weights_of(experiment) + 2)


def test_large_gradients_are_messages_of_their_own():
    first, *others = messages_of(NETS["wide"].experiment())
    assert first == 4  # the loss
    assert others == [4 * 784 * 784, 4 * 784 * 784, 4 * (2 * 784 + 784 * 10 + 10 + 1)]


def test_statistics_of_the_batch_are_messages():
    experiment = RESIDUAL.experiment()
    sizes = messages_of(experiment)
    program = experiment.program()
    features = sum(
        program.state[name].type.size() for name in program.state if name.endswith("/gamma")
    )
    assert len(sizes) == 2 + 4 * BATCH_NORMALIZATIONS
    # The gradients of all gamma follow from one of the four.
    assert sum(sizes) == 4 * (weights_of(experiment) + 2 + 3 * features)


@pytest.mark.parametrize(("shared", "expected"), [(True, 1.5), (False, 0.75)])
def test_the_program_that_only_sums(shared, expected):
    backend, program = load_backend("reference"), sum_program(3, shared)
    if shared:
        made = compile_part(backend, program, "cpu", Workers(2))
    else:
        made = backend.compile(program, "cpu")
    made.write({NUMBERS: np.ones(3)})
    assert made.run(SUM, {FACTOR: np.array([0.75])}, 1)["first"].item() == expected
    np.testing.assert_array_equal(made.read()[NUMBERS], np.full(3, expected))


def ideal():
    """Return times that the model would give."""
    seconds = {
        SUMS: {
            f"{case} {size}": [0.5 + (case == "two") * ring(2, size, LINK)] * 3
            for size in (4, 4096, 2**20)
            for case in ("one", "two")
        }
    }
    for name, net in NETS.items():
        b, compute = net.batch, Compute(1e-3, 1e-5)
        training = Training(compute, messages_of(net.experiment()), LINK, ring)
        alone = {f"one {rows}": compute.step(rows) for rows in (b, b // 2, b // 8)}
        alone[f"beside {b // 2}"] = compute.step(b // 2)
        both = {f"two {rows}": training.step(2, rows // 2) for rows in (b, 2 * b)}
        seconds[name] = {case: [each] * 3 for case, each in (alone | both).items()}
    return Times(seconds, load=0.5)


def test_the_page_of_an_ideal_machine():
    times = ideal()
    assert times.compute("lstm") == Compute(pytest.approx(1e-3), pytest.approx(1e-5))
    assert times.link().latency == pytest.approx(LINK.latency)
    page = text_of({"reference": times})
    rows = [row for row in page.splitlines() if row.startswith("| LeNet-5, Adam, reference")]
    assert len(rows) == 3
    assert rows[2].count("(+0%)") == 2
    rows = [row for row in page.splitlines() if row.startswith("| 10 Gbit/s Ethernet, 1 x")]
    assert len(rows) == 2 * len(NETS)


@pytest.mark.parametrize("net", [*NETS.values(), RESIDUAL], ids=lambda net: net.title)
def test_the_page_counts_what_programs_sum_now(net):
    assert messages_row(net) in (FOLDER / "scaling.md").read_text("utf-8").splitlines()


def test_workers_wait_for_each_other(tmp_path):
    first, second = (Together(tmp_path, rank, 2, seconds=10) for rank in (0, 1))
    thread = threading.Thread(target=lambda: [first.meet(), first.meet()])
    thread.start()
    second.meet()
    assert thread.is_alive()  # at its second meeting
    second.meet()
    thread.join(10)
    assert not thread.is_alive()


def test_a_worker_that_does_not_come_is_an_error(tmp_path):
    with pytest.raises(TimeoutError, match="did not come to meeting 1"):
        Together(tmp_path, 0, 2, seconds=0.01).meet()
