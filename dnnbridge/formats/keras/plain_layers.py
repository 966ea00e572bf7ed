"""Rules of the layers whose names and arguments are the same here and in Keras."""

from __future__ import annotations

from collections.abc import Mapping

from dnnbridge import layers
from dnnbridge.formats.keras.rule import KERNEL_AND_BIAS, Group, Rule, Same

SEPARABLE = (Group(("depthwise_kernel", "pointwise_kernel", "bias")),)
SCALE_AND_SHIFT = (Group(("gamma", "beta")),)

CONVOLUTIONS: Mapping[str, Rule] = {
    cls.__name__: Same(cls, KERNEL_AND_BIAS)
    for cls in (
        *(layers.Conv1D, layers.Conv2D, layers.Conv3D),
        *(layers.Conv1DTranspose, layers.Conv2DTranspose, layers.Conv3DTranspose),
        *(layers.DepthwiseConv1D, layers.DepthwiseConv2D),
    )
} | {cls.__name__: Same(cls, SEPARABLE) for cls in (layers.SeparableConv1D, layers.SeparableConv2D)}

WITHOUT_WEIGHTS: Mapping[str, Rule] = {
    cls.__name__: Same(cls)
    for cls in (
        *(layers.ActivityRegularization, layers.Add, layers.Average, layers.Concatenate),
        *(layers.Dot, layers.Maximum, layers.Minimum, layers.Multiply, layers.Subtract),
        *(layers.AdaptiveAveragePooling1D, layers.AdaptiveAveragePooling2D),
        *(layers.AdaptiveAveragePooling3D, layers.AdaptiveMaxPooling1D),
        *(layers.AdaptiveMaxPooling2D, layers.AdaptiveMaxPooling3D),
        *(layers.AveragePooling1D, layers.AveragePooling2D, layers.AveragePooling3D),
        *(layers.MaxPooling1D, layers.MaxPooling2D, layers.MaxPooling3D),
        *(layers.GlobalAveragePooling1D, layers.GlobalAveragePooling2D),
        *(layers.GlobalAveragePooling3D, layers.GlobalMaxPooling1D),
        *(layers.GlobalMaxPooling2D, layers.GlobalMaxPooling3D),
        *(layers.Cropping1D, layers.Cropping2D, layers.Cropping3D),
        *(layers.ZeroPadding1D, layers.ZeroPadding2D, layers.ZeroPadding3D),
        *(layers.UpSampling1D, layers.UpSampling2D, layers.UpSampling3D),
        *(layers.AlphaDropout, layers.Dropout, layers.GaussianDropout, layers.GaussianNoise),
        *(layers.Permute, layers.RepeatVector, layers.Rescaling, layers.Reshape),
        *(layers.SpatialDropout1D, layers.SpatialDropout2D, layers.SpatialDropout3D),
        *(
            layers.CategoryEncoding,
            layers.CenterCrop,
            layers.Masking,
            layers.Resizing,
            layers.UnitNormalization,
        ),
    )
} | {
    "Flatten": Same(layers.Flatten, neutral={"data_format": "channels_last"}),
}

NORMALIZATIONS: Mapping[str, Rule] = {
    "BatchNormalization": Same(
        layers.BatchNormalization,
        (Group(("gamma", "beta", "moving_mean", "moving_variance")),),
        neutral={"renorm": False},
        # The statistics are in the file, so how they started does not matter.
        ignored=(
            *("moving_mean_initializer", "moving_variance_initializer"),
            *("renorm_clipping", "renorm_momentum"),
        ),
    ),
    "GroupNormalization": Same(layers.GroupNormalization, SCALE_AND_SHIFT),
    "LayerNormalization": Same(
        layers.LayerNormalization, SCALE_AND_SHIFT, neutral={"rms_scaling": False}
    ),
    "Normalization": Same(layers.Normalization, (Group(("mean", "variance"), surplus=1),)),
    "RMSNormalization": Same(layers.RMSNormalization, (Group(("scale",)),)),
}

PLAIN: Mapping[str, Rule] = {
    "Dense": Same(layers.Dense, KERNEL_AND_BIAS),
    "EinsumDense": Same(layers.EinsumDense, KERNEL_AND_BIAS),
    "AdditiveAttention": Same(layers.AdditiveAttention, (Group(("scale",)),)),
    "Attention": Same(layers.Attention, (Group(("scale", "concat_score_weight")),)),
    **CONVOLUTIONS,
    **WITHOUT_WEIGHTS,
    **NORMALIZATIONS,
}
"""The rule of each class, by Keras' name."""
