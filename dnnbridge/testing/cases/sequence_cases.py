"""Cases of embeddings, attention, noise and products."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from dnnbridge import layers
from dnnbridge.base.arrays import Array
from dnnbridge.models import Input, Model, Sequential
from dnnbridge.schedules import PiecewiseConstant
from dnnbridge.testing.cases.choice_cases import CHOICE_CASES
from dnnbridge.testing.cases.equation_case import EquationCase, labels, normal, softmax

_WORDS = np.array([[0, 3, 3, 1], [6, 0, 0, 5], [3, 2, 1, 0]])
_QUERY, _VALUE, _KEY = normal(3, 5, 8), normal(3, 4, 6), normal(3, 4, 8, key=1)
_MASK = np.array([[1.0, 1.0, 1.0, 1.0], [1.0, 0.0, 1.0, 0.0], [0.0, 0.0, 0.0, 0.0]])
"""All keys of the last example are masked."""

_PLACES = (normal(3, 5, 4) > 0.0).astype(float) * _MASK[:, None]
_PADDED = np.concatenate([_QUERY, np.zeros((3, 2, 8))], axis=1) * (np.arange(3)[:, None, None] > 0)
"""Sequences with two steps of padding at their ends; the first has nothing else."""

_CUT = layers.Cast("int32")
_LOOKED_UP = Sequential([Input((5, 8)), layers.Dense(8, "sigmoid"), _CUT, layers.Embedding(30, 2)])
"""What is before a cast gets no gradient."""


def _embeddings() -> list[EquationCase]:
    long = layers.Embedding(500, 3)
    return [
        EquationCase("Embedding", layers.Embedding(7, 5), (_WORDS,)),
        EquationCase("Embedding-padding", layers.Embedding(7, 5, padding_idx=0), (_WORDS,)),
        EquationCase("Embedding-long", long, (labels(20, 30, classes=500),), reduced=5),
        EquationCase("Embedding-one_axis", layers.Embedding.mindspore(7, 2), (_WORDS[:, 0],)),
        EquationCase("Embedding-out_of_range", layers.Embedding(6, 2), (_WORDS - 1,)),
        EquationCase("ReversibleEmbedding", layers.ReversibleEmbedding(7, 5), (_WORDS,)),
        EquationCase(
            "ReversibleEmbedding-scores",
            layers.ReversibleEmbedding(7, 8),
            (_QUERY,),
            reduced=8,
            witness=lambda a: a["input_0"] @ a["embeddings"].T,
        ),
        EquationCase(
            "ReversibleEmbedding-cap",
            layers.ReversibleEmbedding(7, 8, tie_weights=False, logit_soft_cap=2.0),
            (_QUERY,),
            reduced=8,
        ),
        EquationCase(
            "Cast",
            layers.Cast("float32"),
            (_WORDS,),
            gradient=False,
            witness=lambda a: a["input_0"] * 1.0,
        ),
        EquationCase("Cast-int32", _LOOKED_UP, (3.0 * np.abs(_QUERY),), of=_CUT),
        EquationCase(
            "LayerScale",
            layers.LayerScale(0.3, 8),
            (_QUERY,),
            witness=lambda a: a["input_0"] * a["gamma"],
        ),
        EquationCase("PaddingMask", layers.PaddingMask(), (_WORDS,), gradient=False),
        EquationCase("PaddingMask-3", layers.PaddingMask(3), (_WORDS,), gradient=False),
        EquationCase("PositionEmbedding", layers.PositionEmbedding(9), (_QUERY,)),
        EquationCase("SinusoidalPositions", layers.SinusoidalPositions(), (_QUERY,)),
        EquationCase(
            "SinusoidalPositions-odd", layers.SinusoidalPositions(50.0), (normal(2, 3, 7),)
        ),
    ]


def _grouped(arrays: Mapping[str, Array]) -> Array:
    """Return attention whose heads 2i and 2i + 1 share the keys and values of head i."""

    def heads(name: str, x: Array) -> Array:
        mapped = np.einsum("btf,fhd->bhtd", x, arrays[f"{name}/kernel"])
        return np.asarray(mapped + arrays[f"{name}/bias"][:, None, :])

    query, value = arrays["input_0"], arrays["input_1"]
    q, k, v = heads("query", query), heads("key", value), heads("value", value)
    found = []
    for head in range(q.shape[1]):
        scores = q[:, head] @ k[:, head // 2].transpose(0, 2, 1) / np.sqrt(q.shape[-1])
        found.append(softmax(scores) @ v[:, head // 2])
    kernel = arrays["attention_output/kernel"]
    made = sum(each @ part for each, part in zip(found, kernel, strict=True))
    return np.asarray(made + arrays["attention_output/bias"])


def _attention() -> list[EquationCase]:
    def heads(name: str, inputs: tuple[Array, ...], **options: object) -> EquationCase:
        layer = layers.MultiHeadAttention(2, 3, **options)  # type: ignore[arg-type]
        return EquationCase(f"MultiHeadAttention{name}", layer, inputs, reduced=20)

    def plain(name: str, inputs: tuple[Array, ...], **options: object) -> EquationCase:
        return EquationCase(f"Attention{name}", layers.Attention(**options), inputs, reduced=20)  # type: ignore[arg-type]

    def additive(name: str, inputs: tuple[Array, ...], **options: bool | float) -> EquationCase:
        layer = layers.AdditiveAttention(**options)  # type: ignore[arg-type]
        return EquationCase(f"AdditiveAttention{name}", layer, inputs, reduced=20)

    def grouped(name: str, inputs: tuple[Array, ...], **options: object) -> EquationCase:
        layer = layers.GroupQueryAttention(3, 4, 2, **options)  # type: ignore[arg-type]
        witness = None if name else _grouped
        return EquationCase(
            f"GroupQueryAttention{name}", layer, inputs, reduced=20, witness=witness
        )

    long = normal(3, 20, 8)
    return [
        grouped("", (_QUERY, _VALUE)),
        grouped("-gate", (_QUERY,), use_gate=True, use_bias=False, causal=True, dropout=0.3),
        grouped("-window", (_QUERY, _VALUE, _KEY, _MASK), sliding_window=2, masked=True),
        heads("", (_QUERY,)),
        heads("-value", (_QUERY, _VALUE), value_dim=5),
        heads("-key", (_QUERY, _VALUE, _KEY), use_bias=False),
        heads("-mask", (_QUERY, _VALUE, _MASK), masked=True),
        heads("-key_mask", (_QUERY, _VALUE, _KEY, _MASK), masked=True, causal=True),
        heads("-places", (_QUERY, _VALUE, _PLACES), masked=True),
        heads("-no_keys", (_QUERY, _VALUE, _MASK), masked=True, dropout=0.2),
        heads("-causal", (long,), causal=True),
        heads("-dropout", (_QUERY,), dropout=0.4),
        plain("", (_QUERY, _KEY)),
        plain("-concat", (_QUERY, _KEY), score_mode="concat"),
        plain("-concat_mask", (_QUERY, _KEY, _MASK), score_mode="concat", masked=True),
        plain("-concat_key", (_QUERY, _VALUE, _KEY), score_mode="concat", use_scale=True),
        additive("", (_QUERY, _VALUE, _KEY)),
        additive("-unscaled", (_QUERY,), use_scale=False, causal=True),
        additive("-mask", (_QUERY, _KEY, _MASK), masked=True, dropout=0.2),
        additive("-places", (_QUERY, _KEY, _PLACES), masked=True),
        plain("-key", (_QUERY, _VALUE, _KEY), use_scale=True, causal=True),
        plain("-mask", (_QUERY, _KEY, _MASK), masked=True, dropout=0.2),
    ]


def _masked() -> list[EquationCase]:
    def through(name: str, *more: layers.AbstractLayer) -> EquationCase:
        made = Sequential([Input((7, 8)), layers.Masking(), *more])
        return EquationCase(f"Masking-{name}", made, (_PADDED,), reduced=20)

    words = Input((4,), "int32")
    rows = layers.Embedding(7, 6, mask_zero=True)(words)
    others = layers.Dense(6)(rows)
    seen = layers.Attention()(rows, layers.AdditiveAttention()(others, rows))
    block = layers.Add()(rows, layers.MultiHeadAttention(2, 3)(rows, others, seen))
    joined = layers.Concatenate(1)(layers.LayerNormalization()(block), layers.Unmask()(rows))
    turns = layers.Bidirectional(layers.GRU(3, return_sequences=True, zero_output_for_mask=True))
    cut = layers.Reshape((7, 2, 4))
    steps = layers.TimeDistributed(layers.GlobalAveragePooling1D())
    return [
        EquationCase("Masking", layers.Masking(), (_PADDED,)),
        EquationCase("Masking-value", layers.Masking(0.5), (np.full((2, 3, 2), 0.5),)),
        EquationCase("Unmask", layers.Unmask(), (_QUERY,)),
        EquationCase("SetMask", *_with_mask(), of=layers.SetMask(), witness=_real_mean),
        EquationCase("Embedding-masked", Model(words, joined), (_WORDS,), reduced=20),
        through("statistics", layers.BatchNormalization(), layers.GlobalAveragePooling1D()),
        through(
            "unbiased", layers.Unmask(), layers.Masking(), layers.BatchNormalization.mindspore()
        ),
        through("states", turns, layers.SimpleRNN(2, return_sequences=True, go_backwards=True)),
        through("joined", layers.Unmask(), cut, layers.Masking(), steps),
    ]


def _with_mask() -> tuple[Model, tuple[Array, Array]]:
    """Return a model that takes the mean over the steps of a given mask, and its arrays."""
    x, mask = Input((5, 8)), Input((5,))
    model = Model([x, mask], layers.GlobalAveragePooling1D()(layers.SetMask()(x, mask)))
    return model, (_QUERY, np.array([[1.0, 1, 0, 1, 0], [0, 1, 1, 1, 1], [0, 0, 0, 0, 1]]))


def _real_mean(arrays: Mapping[str, Array]) -> Array:
    x, mask = arrays["input_0"], arrays["input_1"]
    return np.stack([rows[real > 0].mean(0) for rows, real in zip(x, mask, strict=True)])


_COMPARED: Mapping[str, Callable[[Array, Array], Array]] = {
    **{"equal": np.equal, "not_equal": np.not_equal, "greater": np.greater, "less": np.less},
    **{"greater_equal": np.greater_equal, "less_equal": np.less_equal},
}
_TRUTHS: Mapping[str, Callable[[Array, Array], Array]] = {
    **{"and": np.logical_and, "or": np.logical_or, "xor": np.logical_xor},
}


def _logic() -> list[EquationCase]:
    """Comparisons of integers with a number and with each other, and combinations of two masks."""
    x, y = _WORDS.astype(float), _WORDS[:, ::-1] * 1.0
    made = []
    for name, compute in _COMPARED.items():
        for id, number, given in (("number", 3.0, (x,)), ("each", None, (x, y))):

            def witness(
                arrays: Mapping[str, Array],
                compute: Callable[[Array, Array], Array] = compute,
                number: float | None = number,
            ) -> Array:
                other = arrays["input_1"] if number is None else np.array(number)
                return compute(arrays["input_0"], other).astype(float)

            layer = layers.Compare(name, number)  # type: ignore[arg-type]
            made.append((f"Compare-{name}_{id}", layer, given, witness))
    for name, compute in _TRUTHS.items():

        def both(
            arrays: Mapping[str, Array], compute: Callable[[Array, Array], Array] = compute
        ) -> Array:
            return compute(arrays["input_0"] > 0.5, arrays["input_1"] > 0.5).astype(float)

        made.append((f"Logical-{name}", layers.Logical(name), (_PLACES, _PLACES[:, :1]), both))  # type: ignore[arg-type]
    return [
        EquationCase(id, layer, given, gradient=False, witness=witness)
        for id, layer, given, witness in made
    ] + [
        EquationCase(
            "Logical-not",
            layers.Logical("not"),
            (_PLACES,),
            gradient=False,
            witness=lambda a: 1.0 - (a["input_0"] > 0.5),
        )
    ]


def _noise() -> list[EquationCase]:
    x, noises = normal(3, 4, 5, 6), (layers.AlphaDropout(0.2), layers.GaussianNoise(0.3))
    each = [*noises, layers.GaussianDropout(0.4), layers.SpatialDropout2D(0.4)]
    rate = PiecewiseConstant((5,), (0.3, 0.0))
    scheduled = [layers.AlphaDropout(rate), layers.GaussianDropout(rate), layers.Dropout(rate)]
    return [
        *(EquationCase(type(layer).__name__, layer, (x,)) for layer in each),
        *(EquationCase(f"{type(n).__name__}-off", n, (x,), training=False) for n in each),
        *(EquationCase(f"{type(n).__name__}-schedule", n, (x,)) for n in scheduled),
        EquationCase("AlphaDropout-images", layers.AlphaDropout(0.4, (None, 1, 1, None)), (x,)),
        EquationCase("SpatialDropout1D", layers.SpatialDropout1D(0.4), (normal(3, 4, 5),)),
        EquationCase("SpatialDropout3D", layers.SpatialDropout3D(0.4), (normal(2, 2, 3, 2, 5),)),
    ]


def _products() -> list[EquationCase]:
    a, b = normal(3, 4, 5), normal(3, 5, 2, 4)
    unit = layers.Dot(-1, normalize=True)
    return [
        EquationCase("Dot", layers.Dot((2, 1)), (a, b), reduced=5),
        EquationCase("Dot-other_axes", layers.Dot((1, 3)), (a, b), reduced=5),
        EquationCase("Dot-vectors", layers.Dot(1), (normal(4, 6), normal(4, 6, key=1)), reduced=6),
        EquationCase("Dot-cosine", unit, (normal(4, 6), normal(4, 3, 6)), reduced=6),
        EquationCase("Dot-zeros", unit, (normal(4, 6), np.zeros((4, 6))), gradient=False),
    ]


_EQUATIONS: list[tuple[str, tuple[int | None, ...], str | None, Array]] = [
    ("abc,cd->abd", (None, 3), "d", _QUERY),
    ("abc,cde->abde", (5, 2, 3), "de", _QUERY),
    ("abcd,cde->abe", (None, 4), "be", normal(3, 5, 2, 4)),
    ("abcd,ced->aebc", (3, None, 2), "c", normal(3, 5, 2, 4)),
    ("abc,bcd->abd", (None, 3), None, _QUERY),
    ("abc,d->acd", (None, 2), "c", _QUERY),
    ("abc,bc->abc", (None, None), "bc", _QUERY),
    ("ab,b->a", (), None, normal(4, 6)),
    ("...x,xy->...y", (3,), "y", normal(3, 2, 4, 5)),
    ("...bx,bxy->...yb", (3, None), None, normal(3, 2, 4, 5)),
    ("ab...,bc->ac...", (3,), "c", normal(3, 4, 2, 5)),
]


def _einsum() -> list[EquationCase]:
    def witness(equation: str) -> Callable[[Mapping[str, Array]], Array]:
        return lambda of: np.asarray(
            np.einsum(equation, of["input_0"], of["kernel"]) + of.get("bias", 0.0)
        )

    return [
        EquationCase(
            f"EinsumDense-{equation}",
            layers.EinsumDense(equation, sizes, bias_axes=bias),
            (x,),
            reduced=12,
            witness=witness(equation),
        )
        for equation, sizes, bias, x in _EQUATIONS
    ]


SEQUENCE_CASES: list[EquationCase] = [
    *_einsum(),
    *_embeddings(),
    *_attention(),
    *_masked(),
    *_logic(),
    *CHOICE_CASES,
    *_noise(),
    *_products(),
]
