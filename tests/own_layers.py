"""User-defined layers made of other layers, for the tests and the processes that they start."""

from __future__ import annotations

import dnnbridge as db

CLOSED_OVER = db.Dense(4, "tanh")


@db.spec
class SameName(db.AbstractLayer):
    """Two layers, called under one name."""

    first: db.AbstractLayer
    second: db.AbstractLayer

    def emit(self, scope, x):
        return scope.call(self.second, scope.call(self.first, x, name="d"), name="d")


@db.spec
class NoName(db.AbstractLayer):
    """Two layers, called without names."""

    first: db.AbstractLayer
    second: db.AbstractLayer

    def emit(self, scope, x):
        return scope.call(self.second, scope.call(self.first, x))


@db.spec
class OneField(db.AbstractLayer):
    """One layer, called twice without a name."""

    layer: db.AbstractLayer

    def emit(self, scope, x):
        return scope.call(self.layer, scope.call(self.layer, x))


@db.spec
class ClosedOver(db.AbstractLayer):
    """A layer from a global variable, called twice without a name."""

    def emit(self, scope, x):
        return scope.call(CLOSED_OVER, scope.call(CLOSED_OVER, x))


@db.spec
class MadeInEmit(db.AbstractLayer):
    """Two equal layers, made in `emit`, called without names."""

    def emit(self, scope, x):
        return scope.call(db.Dense(4), scope.call(db.Dense(4), x))


@db.spec
class TwoWrappers(db.AbstractLayer):
    """Two equal wrappers, called without names; each calls its layer under a name."""

    def emit(self, scope, x):
        wrapped = (db.TimeDistributed(db.Dense(4)) for _ in range(2))
        return scope.call(next(wrapped), scope.call(next(wrapped), x))


@db.spec
class TiedTable(db.AbstractLayer):
    """One layer, called under the name `table` directly and inside another layer."""

    layer: db.AbstractLayer

    def emit(self, scope, x):
        return scope.call(ReadingTable(self.layer), scope.call(self.layer, x, name="table"))


@db.spec
class ReadingTable(db.AbstractLayer):
    """Calls a layer under the name `table`."""

    layer: db.AbstractLayer

    def emit(self, scope, x):
        return scope.call(self.layer, x, name="table")


@db.spec
class OwnBlock(db.AbstractLayer):
    """A composite of layers made in `emit`, called with and without names."""

    units: int = 4

    def emit(self, scope, x):
        h = scope.call(db.Dense(self.units, "tanh"), x, name="inner")
        h = scope.call(db.BatchNormalization(), h, name="norm")
        return x + scope.call(db.Dense(self.units), h)
