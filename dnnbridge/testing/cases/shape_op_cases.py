"""Cases of the operations that pad, cut, widen, choose rows, and multiply stacked matrices."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from dnnbridge import ops
from dnnbridge.testing.cases.op_case import OpCase, normal


def _pads() -> list[OpCase]:
    x = normal(2, 3, 4)
    return [
        OpCase("Pad", ops.Pad(((0, 0), (1, 2), (3, 0))), (x,)),
        OpCase("Pad-one", ops.Pad(((1, 1),), 1.0), (normal(3),)),
        OpCase("Pad-nothing", ops.Pad(((0, 0), (0, 0))), (normal(3, 4),)),
        OpCase(
            "Pad-images", ops.Pad(((0, 0), (1, 1), (2, 2), (0, 0)), -2.5), (normal(2, 3, 4, 3),)
        ),
        OpCase(
            "Pad-videos",
            ops.Pad(((0, 0), (1, 0), (0, 2), (1, 1), (0, 0))),
            (normal(2, 3, 2, 2, 3),),
        ),
        OpCase("Pad-infinite", ops.Pad(((0, 0), (1, 1)), -np.inf), (normal(2, 3),)),
    ]


def _slices() -> list[OpCase]:
    x = normal(3, 5, 4)
    return [
        OpCase("Slice", ops.Slice((0, 1, 2), (3, 3, 2)), (x,)),
        OpCase("Slice-first_axis", ops.Slice((1, 0, 0), (1, 5, 4)), (x,)),
        OpCase("Slice-whole", ops.Slice((0, 0, 0), (3, 5, 4)), (x,)),
        OpCase("Slice-one", ops.Slice((2, 4, 3), (1, 1, 1)), (x,)),
        OpCase("Slice-int", ops.Slice((1, 0), (2, 3)), (np.arange(12).reshape(3, 4),), False),
        OpCase("Slice-bool", ops.Slice((1, 0), (2, 3)), (normal(3, 4) > 0,), False),
    ]


def _reverses() -> list[OpCase]:
    x = normal(3, 5, 4)
    return [
        OpCase("Reverse", ops.Reverse((1,)), (x,)),
        OpCase("Reverse-first_and_last", ops.Reverse((0, 2)), (x,)),
        OpCase("Reverse-one", ops.Reverse((0,)), (normal(1, 2),)),
        OpCase("Reverse-int", ops.Reverse((1,)), (np.arange(12).reshape(3, 4),), False),
    ]


def _broadcasts() -> list[OpCase]:
    return [
        OpCase("BroadcastTo", ops.BroadcastTo((3, 5, 4)), (normal(3, 1, 4),), reduced=5),
        OpCase("BroadcastTo-new_axes", ops.BroadcastTo((2, 3, 4)), (normal(4),), reduced=6),
        OpCase("BroadcastTo-scalar", ops.BroadcastTo((2, 3)), (np.array(1.5),), reduced=6),
        OpCase("BroadcastTo-same", ops.BroadcastTo((2, 3)), (normal(2, 3),)),
    ]


def _takes() -> list[OpCase]:
    table, some = normal(6, 3), np.array([5, 0, 2, 2, 2, 5])
    return [
        OpCase("Take", ops.Take(), (table, some)),
        OpCase("Take-rank2", ops.Take(), (table, np.array([[1, 4, 1], [4, 4, 0]]))),
        OpCase("Take-scalar", ops.Take(), (table, np.array(3))),
        OpCase("Take-numbers", ops.Take(), (normal(5), np.array([[4, 0], [4, 1]]))),
        OpCase("Take-matrices", ops.Take(), (normal(4, 2, 3), np.array([[3, 3], [0, 1]]))),
        OpCase("Take-one_row", ops.Take(), (normal(1, 3), np.zeros(7, int)), reduced=7),
        OpCase("Take-out_of_range", ops.Take(), (table, np.array([[-1, 5], [6, 0]]))),
        OpCase("Take-often", ops.Take(), (normal(3, 2), np.arange(300) % 3), reduced=100),
    ]


def _updates_of_rows() -> list[OpCase]:
    """Cases of `SumRepeats` and `PutRows`. `PutRows` gets equal rows for equal indices."""
    pairs, some = np.array([[1, 4, 1], [4, 4, 0]]), np.array([5, 0, 2, 2, 2, 5])
    table, often = normal(6, 3), np.arange(300) % 3
    put = ops.PutRows()
    given = [
        OpCase("SumRepeats", ops.SumRepeats(6), (normal(6, 3, key=1), some)),
        OpCase("SumRepeats-rank2", ops.SumRepeats(5), (normal(2, 3, 4), pairs)),
        OpCase("SumRepeats-numbers", ops.SumRepeats(5), (normal(2, 3), pairs)),
        OpCase("SumRepeats-matrices", ops.SumRepeats(9), (normal(6, 2, 3), some)),
        OpCase("SumRepeats-often", ops.SumRepeats(3), (normal(300, 2), often), reduced=100),
        OpCase("SumRepeats-one", ops.SumRepeats(1), (normal(7, 3), np.zeros(7, int)), reduced=7),
        OpCase("PutRows", put, (table, some, normal(6, 3, key=1)[some])),
        OpCase("PutRows-rank2", put, (table, pairs, normal(6, 3, key=1)[pairs])),
        OpCase("PutRows-numbers", put, (normal(6), pairs, normal(6, key=1)[pairs])),
        OpCase("PutRows-matrices", put, (normal(6, 2, 3), some, normal(6, 2, 3, key=1)[some])),
        OpCase("PutRows-all", put, (table, np.arange(6), normal(6, 3, key=1))),
    ]
    return [replace(case, gradient=False) for case in given]


def _across_workers() -> list[OpCase]:
    """Cases with one worker, where both operations return their operand."""
    return [
        OpCase("AllReduceSum", ops.AllReduceSum(), (normal(3, 4),)),
        OpCase("AllReduceSum-scalar", ops.AllReduceSum(), (normal(),)),
        OpCase("AllReduceGradient", ops.AllReduceGradient(), (normal(3, 4),)),
        OpCase("AllReduceGradient-scalar", ops.AllReduceGradient(), (normal(),)),
    ]


def _products() -> list[OpCase]:
    pairs = {
        "": ((3, 4, 5), (3, 5, 2)),
        "-rank4": ((2, 3, 4, 5), (2, 3, 5, 4)),
        "-long": ((2, 3, 300), (2, 300, 2)),
        "-ones": ((1, 1, 1), (1, 1, 1)),
    }
    return [
        OpCase(
            f"BatchMatMul{name}", ops.BatchMatMul(), (normal(*a), normal(*b, key=1)), reduced=a[-1]
        )
        for name, (a, b) in pairs.items()
    ]


SHAPE_OP_CASES: list[OpCase] = [
    *_pads(),
    *_slices(),
    *_reverses(),
    *_broadcasts(),
    *_takes(),
    *_updates_of_rows(),
    *_across_workers(),
    *_products(),
]
