"""Rows of tables by index: read them, add up repeated ones, and write them in place."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from dnnbridge.backend import ops

Tensor = Any


def take(op: ops.Take, table: Any, indices: Tensor) -> Tensor:
    """Return rows by index, NaN if out of range; tf.gather would raise or return 0, by device.

    Only these rows of a variable are read.
    """
    last = table.shape[0] - 1
    inside = tf.clip_by_value(indices, 0, last)
    known = tf.reshape(
        tf.equal(inside, indices), tf.concat([tf.shape(indices), [1] * (table.shape.rank - 1)], 0)
    )
    return tf.where(known, tf.gather(table, inside), float("nan"))


def sum_repeats(op: ops.SumRepeats, rows: Tensor, indices: Tensor) -> Tensor:
    """Add rows with equal indices; sorting keeps every shape known, as XLA requires."""
    flat = tf.reshape(indices, [-1])
    order = tf.argsort(flat)
    ordered = tf.gather(flat, order)
    new = tf.concat([[False], tf.not_equal(ordered[1:], ordered[:-1])], 0)
    count = tf.size(flat)
    number = tf.scatter_nd(order[:, None], tf.cumsum(tf.cast(new, tf.int32)), [count])
    width = rows.shape[indices.shape.rank :].num_elements()
    totals = tf.math.unsorted_segment_sum(tf.reshape(rows, [-1, width]), number, count)
    return tf.reshape(tf.gather(totals, number), tf.shape(rows))


def with_rows(op: ops.PutRows, table: Tensor, indices: Tensor, rows: Tensor) -> Tensor:
    return tf.tensor_scatter_nd_update(table, indices[..., None], rows)


def put_rows(table: Any, indices: Tensor, rows: Tensor) -> None:
    """Write rows into a variable."""
    tf.raw_ops.ResourceScatterUpdate(resource=table.handle, indices=indices, updates=rows)
