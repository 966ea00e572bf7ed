"""Rules of the layers that are written in another way here than in Keras."""

from __future__ import annotations

from dnnbridge import activations, layers
from dnnbridge.activations import AbstractActivation
from dnnbridge.formats.keras.parts import read_part
from dnnbridge.formats.keras.rule import Group, Rebuilt, Rule, Same, arguments, built, rebuilt
from dnnbridge.formats.keras.settings import Settings, serialized
from dnnbridge.layers import AbstractLayer


def _activation_layer(settings: Settings) -> Rebuilt | None:
    found = read_part(settings.take("activation"), "activation", settings)
    return None if found is None else Rebuilt(layers.Activation(found))


def _of_activation(cls: type[AbstractActivation], **renamed: str) -> Rule:
    """Return the rule of a layer of Keras that is an activation here."""

    def rule(settings: Settings) -> Rebuilt | None:
        given = {}
        for here, there in renamed.items():
            given[here] = read_part(settings.take(there), there, settings)
        return Rebuilt(layers.Activation(cls(**given)), (Group(("slope",)),))

    return rule


def _embedding(settings: Settings) -> Rebuilt | None:
    made = built(layers.Embedding, arguments(layers.Embedding, settings), settings)
    return rebuilt(made, Group(("embeddings",)))


def _reversible(settings: Settings) -> Rebuilt | None:
    settings.neutral(mask_zero=False, reverse_dtype=None)
    cls = layers.ReversibleEmbedding
    made = built(cls, arguments(cls, settings), settings)
    return rebuilt(made, Group(("embeddings", "reverse_embeddings")))


def _multi_head(settings: Settings) -> Rebuilt | None:
    settings.neutral(use_gate=False, output_shape=None, sliding_window=None)
    if settings.config.get("attention_axes") in (None, [1], (1,), 1):
        settings.take("attention_axes")
    for name in ("query_shape", "key_shape", "value_shape"):
        settings.take(name)
    size = settings.config.get("key_dim")
    special = settings.config.get("use_gate") or settings.config.get("sliding_window")
    if special and settings.config.get("value_dim") in (None, size):
        return _as_groups(settings)
    made = built(
        layers.MultiHeadAttention, arguments(layers.MultiHeadAttention, settings), settings
    )
    groups = (
        Group((f"{name}_kernel", f"{name}_bias"), f"{name}_dense")
        for name in ("query", "key", "value", "output")
    )
    return rebuilt(made, *groups)


MAPS = {"query": "query", "key": "key", "gate": "gate", "value": "value"}
MAPS |= {"output": "attention_output"}
"""The name here of each map of an attention, in Keras' order."""


def _as_groups(settings: Settings) -> Rebuilt | None:
    """Read a MultiHeadAttention with a gate or a window: each head is a group of its own."""
    heads = settings.take("num_heads")
    given = arguments(layers.GroupQueryAttention, settings)
    given |= {"head_dim": settings.take("key_dim"), "num_query_heads": heads}
    settings.take("value_dim")
    made = built(layers.GroupQueryAttention, given | {"num_key_value_heads": heads}, settings)
    files = {name: f"{name}_dense" for name in MAPS} | {"gate": "_gate_dense"}
    groups = (Group(("kernel", "bias"), files[name], here) for name, here in MAPS.items())
    return rebuilt(made, *groups)


def _group_query(settings: Settings) -> Rebuilt | None:
    settings.neutral(flash_attention=None)
    cls = layers.GroupQueryAttention
    made = built(cls, arguments(cls, settings), settings)
    groups = (Group(("kernel", "bias"), f"_{name}_dense", here) for name, here in MAPS.items())
    return rebuilt(made, *groups)


CELL = Group(("kernel", "recurrent_kernel", "bias"), "cell")

RECURRENT: dict[str, type[AbstractLayer]] = {
    cls.__name__: cls
    for cls in (
        *(layers.SimpleRNN, layers.LSTM, layers.GRU),
        *(layers.ConvLSTM1D, layers.ConvLSTM2D, layers.ConvLSTM3D),
    )
}


def _recurrent(settings: Settings) -> Rebuilt | None:
    cls = RECURRENT[settings.kind]
    return rebuilt(built(cls, arguments(cls, settings), settings), CELL)


def _rnn(settings: Settings) -> Rebuilt | None:
    """Read `RNN(LSTMCell(…))` as the layer of that cell."""
    cell = serialized(settings.take("cell"))
    kind = cell.kind.removesuffix("Cell") if cell else ""
    if cell is None or kind not in RECURRENT:
        settings.findings.add(settings.path, f"RNN with the cell {cell.kind if cell else None}")
        return None
    both = {**settings.config, **cell.config}
    both.pop("cell")
    inner = Settings(kind, both, settings.path, settings.findings)
    made = _recurrent(inner)
    inner.finish()
    settings.read |= inner.read
    return made


def _discretization(settings: Settings) -> Rebuilt | None:
    given = arguments(layers.Discretization, settings)
    if given.get("bin_boundaries") is not None:
        given["num_bins"] = None  # a layer that has adapted keeps both
    return rebuilt(built(layers.Discretization, given, settings))


def _lookup(settings: Settings) -> Rebuilt | None:
    texts = settings.kind == "StringLookup"
    settings.neutral(
        invert=False, **({"encoding": "utf-8"} if texts else {"vocabulary_dtype": "int64"})
    )
    for name in ("vocabulary_size", "has_input_vocabulary", "oov_method", "salt"):
        settings.take(name)  # with one place for unknown numbers nothing is hashed
    text = ""
    if settings.config.get("output_mode") == "tf_idf":
        text = f"{settings.kind} of tf_idf: put {settings.kind}(idf_weights=…) into the model here"
    elif settings.config.get("vocabulary") is None:
        text = (
            f"{settings.kind} without its vocabulary, which only a .keras file of the model holds"
        )
    if text:
        settings.findings.add(settings.path, text)
        settings.read |= settings.config.keys()
        return None
    cls = layers.StringLookup if texts else layers.IntegerLookup
    return rebuilt(built(cls, arguments(cls, settings), settings))


def _nothing(settings: Settings) -> Rebuilt:
    return Rebuilt(layers.Activation(activations.Linear()))


SPECIAL: dict[str, Rule] = {
    "Activation": _activation_layer,
    "ELU": _of_activation(activations.ELU, alpha="alpha"),
    "LeakyReLU": _of_activation(activations.LeakyReLU, negative_slope="negative_slope"),
    "PReLU": _of_activation(
        activations.PReLU,
        alpha_initializer="alpha_initializer",
        alpha_regularizer="alpha_regularizer",
        alpha_constraint="alpha_constraint",
        shared_axes="shared_axes",
    ),
    "ReLU": _of_activation(
        activations.ReLU,
        max_value="max_value",
        negative_slope="negative_slope",
        threshold="threshold",
    ),
    "Softmax": _of_activation(activations.Softmax, axis="axis"),
    "Identity": _nothing,
    "Discretization": _discretization,
    "Embedding": _embedding,
    **dict.fromkeys(("GroupQueryAttention", "GroupedQueryAttention"), _group_query),
    **dict.fromkeys(("IntegerLookup", "StringLookup"), _lookup),
    "LayerScale": Same(layers.LayerScale, (Group(("gamma",)),)),
    "MultiHeadAttention": _multi_head,
    "ReversibleEmbedding": _reversible,
    **dict.fromkeys(RECURRENT, _recurrent),
    "RNN": _rnn,
}
"""The rule of each class, by Keras' name."""
