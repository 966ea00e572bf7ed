"""Classes of `mindspore.nn` without a rule: those whose `construct` is followed, and the others."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

FOLLOWED = (
    *("CellDict", "CellList", "SequentialCell", "Unflatten"),
    *("Conv2dBnAct", "DenseBnAct"),
    *("TransformerDecoder", "TransformerDecoderLayer"),
    *("TransformerEncoder", "TransformerEncoderLayer"),
)
"""Classes that are made of others: the layers in them are read."""


def _each(names: Iterable[str], reason: str) -> dict[str, str]:
    return dict.fromkeys(names, reason)


TRAINS = "it is a part of a training loop: give the network itself"
NO_LAYER = "no layer here computes it"
NO_KERNEL = "MindSpore has no kernel of it for CPUs, where reading compares the predictions"
NO_LOSS = "no loss here computes it"

REFUSED: Mapping[str, str] = {
    **_each(
        (
            *("AdaSumByDeltaWeightWrapCell", "AdaSumByGradWrapCell", "DistributedGradReducer"),
            *("DynamicLossScaleUpdateCell", "FixedLossScaleUpdateCell", "ForwardValueAndGrad"),
            *("GetNextSingleOp", "GradAccumulationCell", "Jvp", "MicroBatchInterleaved"),
            *("ParameterUpdate", "PipelineCell", "PipelineGradReducer", "TrainOneStepCell"),
            *("TrainOneStepWithLossScaleCell", "VirtualDatasetCellTriple", "Vjp", "WithEvalCell"),
            *("WithGradCell", "WithLossCell"),
        ),
        TRAINS,
    ),
    **_each(
        (
            *("BiDense", "CentralCrop", "ChannelShuffle", "ClipByNorm", "ConstantPad1d"),
            *("ConstantPad3d", "DiGamma", "FastGelu", "FractionalMaxPool2d"),
            *("FractionalMaxPool3d", "IGamma", "ImageGradients", "L1Regularizer", "LBeta"),
            *("LGamma", "LPPool1d", "LPPool2d", "LRN", "MSSSIM", "MatDet", "MatInverse"),
            *("MatMul", "MatrixDiag", "MatrixDiagPart", "MatrixSetDiag", "MaxUnpool1d"),
            *("MaxUnpool2d", "MaxUnpool3d", "Moments", "MultiFieldEmbeddingLookup", "Norm"),
            *("OneHot", "PSNR", "Pad", "PixelShuffle", "PixelUnshuffle", "RReLU", "Range"),
            *("ReduceLogSumExp", "ReflectionPad1d", "ReflectionPad2d", "ReflectionPad3d"),
            *("ReplicationPad1d", "ReplicationPad2d", "ReplicationPad3d", "Roll", "SSIM"),
            *("Softmax2d", "Softmin", "SparseTensorDenseMatmul", "SparseToDense"),
            *("TimeDistributed", "Tril", "Triu", "Unfold", "Upsample"),
        ),
        NO_LAYER,
    ),
    **_each(
        (
            *("AvgPool1dExt", "AvgPool2dExt", "AvgPool3dExt", "EmbeddingExt", "LayerNormExt"),
            *("LogSoftmaxExt", "MaxPool2dExt", "PReLUExt", "InstanceNorm1d", "InstanceNorm2d"),
            *("InstanceNorm3d", "SyncBatchNorm", "Conv2dThor", "DenseThor", "EmbeddingThor"),
            "EmbeddingLookupThor",
        ),
        NO_KERNEL,
    ),
    **_each(("EmbeddingLookup",), "it looks up indices in parts: use nn.Embedding"),
    **_each(("GRUCell", "LSTMCell", "RNNCell"), "it is one step: use nn.GRU, nn.LSTM or nn.RNN"),
    "Transformer": "its mask and memory are given apart: read encoder and decoder",
    **_each(("Cell", "GraphCell", "LossBase"), "it has no layers of its own"),
    **_each(
        (
            *("CTCLoss", "CosineEmbeddingLoss", "DiceLoss", "FocalLoss", "GaussianNLLLoss"),
            *("HingeEmbeddingLoss", "KLDivLoss", "MarginRankingLoss", "MultiClassDiceLoss"),
            *("MultiLabelSoftMarginLoss", "MultiMarginLoss", "MultilabelMarginLoss", "NLLLoss"),
            *("PoissonNLLLoss", "RMSELoss", "SampledSoftmaxLoss", "SoftMarginLoss"),
            *("TripletMarginLoss", "TripletMarginWithDistanceLoss"),
        ),
        NO_LOSS,
    ),
}
"""Why a class is not read."""
