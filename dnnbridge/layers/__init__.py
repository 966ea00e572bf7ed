"""Layers: each is one class with its equation."""

from dnnbridge.layers.activation import Activation
from dnnbridge.layers.adaptive_pooling import (
    AdaptiveAveragePooling1D,
    AdaptiveAveragePooling2D,
    AdaptiveAveragePooling3D,
    AdaptiveMaxPooling1D,
    AdaptiveMaxPooling2D,
    AdaptiveMaxPooling3D,
)
from dnnbridge.layers.attention import AdditiveAttention, Attention, MultiHeadAttention
from dnnbridge.layers.base import AbstractLayer, LayerOutput
from dnnbridge.layers.batch_normalization import BatchNormalization
from dnnbridge.layers.borders import (
    Cropping1D,
    Cropping2D,
    Cropping3D,
    PadFeatures,
    ZeroPadding1D,
    ZeroPadding2D,
    ZeroPadding3D,
)
from dnnbridge.layers.casting import Cast
from dnnbridge.layers.category_encoding import CategoryEncoding
from dnnbridge.layers.conv_lstm import ConvLSTM1D, ConvLSTM2D, ConvLSTM3D
from dnnbridge.layers.convolution import Conv1D, Conv2D, Conv3D
from dnnbridge.layers.dense import Dense
from dnnbridge.layers.depthwise import (
    DepthwiseConv1D,
    DepthwiseConv2D,
    SeparableConv1D,
    SeparableConv2D,
)
from dnnbridge.layers.discretization import Discretization
from dnnbridge.layers.dot import Dot
from dnnbridge.layers.dropout import Dropout
from dnnbridge.layers.einsum import EinsumDense
from dnnbridge.layers.elementwise import Elementwise
from dnnbridge.layers.embedding import Embedding, PositionEmbedding, SinusoidalPositions
from dnnbridge.layers.global_pooling import (
    GlobalAveragePooling1D,
    GlobalAveragePooling2D,
    GlobalAveragePooling3D,
    GlobalMaxPooling1D,
    GlobalMaxPooling2D,
    GlobalMaxPooling3D,
)
from dnnbridge.layers.grouped_attention import GroupQueryAttention
from dnnbridge.layers.integer_lookup import IntegerLookup
from dnnbridge.layers.layer_scale import LayerScale
from dnnbridge.layers.logic import Compare, Logical, Where
from dnnbridge.layers.masking import Masking, PaddingMask, SetMask, Unmask
from dnnbridge.layers.matmul import MatMul
from dnnbridge.layers.merging import (
    Add,
    Average,
    Concatenate,
    Divide,
    Maximum,
    Minimum,
    Multiply,
    Subtract,
)
from dnnbridge.layers.noise import (
    AlphaDropout,
    GaussianDropout,
    GaussianNoise,
    SpatialDropout1D,
    SpatialDropout2D,
    SpatialDropout3D,
)
from dnnbridge.layers.normalization import (
    GroupNormalization,
    InstanceNorm,
    LayerNormalization,
    RMSNormalization,
    UnitNormalization,
)
from dnnbridge.layers.pooling import (
    AveragePooling1D,
    AveragePooling2D,
    AveragePooling3D,
    MaxPooling1D,
    MaxPooling2D,
    MaxPooling3D,
)
from dnnbridge.layers.preprocessing import Normalization, Rescaling
from dnnbridge.layers.recurrence import AbstractRecurrent
from dnnbridge.layers.recurrent import GRU, LSTM, AbstractDenseRecurrent, SimpleRNN
from dnnbridge.layers.reducing import Reduce
from dnnbridge.layers.regularization import ActivityRegularization
from dnnbridge.layers.reshaping import Flatten, Permute, RepeatVector, Reshape
from dnnbridge.layers.resizing import CenterCrop, Resizing
from dnnbridge.layers.reversible_embedding import ReversibleEmbedding
from dnnbridge.layers.slicing import Slice
from dnnbridge.layers.spectral_normalization import SpectralNormalization
from dnnbridge.layers.string_lookup import StringLookup
from dnnbridge.layers.transposed import Conv1DTranspose, Conv2DTranspose, Conv3DTranspose
from dnnbridge.layers.upsampling import UpSampling1D, UpSampling2D, UpSampling3D
from dnnbridge.layers.variational import GaussianSampling
from dnnbridge.layers.wrappers import Bidirectional, TimeDistributed
from dnnbridge.specs.former_names import forwarding

__all__ = [
    "IntegerLookup",
    "StringLookup",
    "Discretization",
    "CategoryEncoding",
    "AbstractDenseRecurrent",
    "AbstractLayer",
    "AbstractRecurrent",
    "Activation",
    "AdaptiveAveragePooling1D",
    "AdaptiveAveragePooling2D",
    "AdaptiveAveragePooling3D",
    "AdaptiveMaxPooling1D",
    "AdaptiveMaxPooling2D",
    "AdaptiveMaxPooling3D",
    "AdditiveAttention",
    "ActivityRegularization",
    "Add",
    "AlphaDropout",
    "Attention",
    "Average",
    "AveragePooling1D",
    "AveragePooling2D",
    "AveragePooling3D",
    "BatchNormalization",
    "Bidirectional",
    "Cast",
    "CenterCrop",
    "Compare",
    "Concatenate",
    "Conv1D",
    "Conv1DTranspose",
    "Conv2D",
    "Conv2DTranspose",
    "Conv3D",
    "Conv3DTranspose",
    "ConvLSTM1D",
    "ConvLSTM2D",
    "ConvLSTM3D",
    "Cropping1D",
    "Cropping2D",
    "Cropping3D",
    "Dense",
    "DepthwiseConv1D",
    "DepthwiseConv2D",
    "Divide",
    "Dot",
    "Dropout",
    "EinsumDense",
    "Elementwise",
    "Embedding",
    "Flatten",
    "GRU",
    "GaussianDropout",
    "GaussianNoise",
    "GaussianSampling",
    "GlobalAveragePooling1D",
    "GlobalAveragePooling2D",
    "GlobalAveragePooling3D",
    "GlobalMaxPooling1D",
    "GlobalMaxPooling2D",
    "GlobalMaxPooling3D",
    "GroupNormalization",
    "GroupQueryAttention",
    "InstanceNorm",
    "LSTM",
    "LayerNormalization",
    "LayerScale",
    "LayerOutput",
    "Logical",
    "Masking",
    "MatMul",
    "MaxPooling1D",
    "MaxPooling2D",
    "MaxPooling3D",
    "Maximum",
    "Minimum",
    "MultiHeadAttention",
    "Multiply",
    "Normalization",
    "PadFeatures",
    "PaddingMask",
    "SetMask",
    "Permute",
    "PositionEmbedding",
    "RMSNormalization",
    "RepeatVector",
    "Rescaling",
    "Reduce",
    "Reshape",
    "Resizing",
    "ReversibleEmbedding",
    "SeparableConv1D",
    "SeparableConv2D",
    "SimpleRNN",
    "SinusoidalPositions",
    "Slice",
    "SpatialDropout1D",
    "SpatialDropout2D",
    "SpatialDropout3D",
    "SpectralNormalization",
    "Subtract",
    "TimeDistributed",
    "UnitNormalization",
    "Unmask",
    "UpSampling1D",
    "UpSampling2D",
    "UpSampling3D",
    "Where",
    "ZeroPadding1D",
    "ZeroPadding2D",
    "ZeroPadding3D",
]

__getattr__ = forwarding(__name__, globals().get)
