"""Which implementation that is not ours each entry of core meets, and in which test.

One line per test: who, the file and the test, the family, the names of the classes.
"""

from __future__ import annotations

LINES = """
Keras | test_activations.py::test_activations_equal_keras | activation | ReLU LeakyReLU Sigmoid Tanh Softplus Softmax ReLU6 ELU CELU SELU GELU SiLU Mish Softsign HardSigmoid HardSwish LogSigmoid LogSoftmax
Keras | test_activations.py::test_activations_with_arguments_equal_keras | activation | GELU ELU CELU LeakyReLU PReLU
MindSpore | test_activations.py::test_activations_equal_mindspore | activation | LeakyReLU PReLU GELU ELU CELU SELU HardSigmoid HardSwish SiLU Mish Softsign
SciPy | test_scipy.py::test_activations_equal_scipy | activation | Sigmoid LogSigmoid Softmax LogSoftmax Softplus GELU SiLU Tanh ELU Mish
NumPy | test_plain.py::test_activation_and_features_are_what_they_say | activation | Linear
papers | test_printed_values.py::test_a_uniform_probability_ratio_of_selu_is_its_fixed_point | activation | SELU
Keras | test_losses.py::test_losses_equal_keras | loss | SparseCategoricalCrossentropy CategoricalCrossentropy MeanSquaredError MeanAbsoluteError MeanAbsolutePercentageError MeanSquaredLogarithmicError Huber LogCosh BinaryCrossentropy BinaryFocalCrossentropy CategoricalFocalCrossentropy KLDivergence Poisson CosineSimilarity Hinge SquaredHinge CategoricalHinge
MindSpore | test_losses.py::test_losses_equal_mindspore | loss | MeanAbsoluteError Huber BinaryCrossentropy CategoricalFocalCrossentropy Poisson
SciPy | test_scipy.py::test_losses_equal_scipy | loss | KLDivergence BinaryCrossentropy CategoricalCrossentropy SparseCategoricalCrossentropy Huber LogCosh Poisson
MindSpore | test_weighted_losses.py::test_cross_entropy_of_mindspore | loss | SparseCategoricalCrossentropy
TensorFlow | test_ctc.py::test_it_equals_that_of_tensorflow | loss | CTC
the sum over all paths | test_ctc.py::test_it_is_the_sum_over_all_paths | loss | CTC
textbooks | test_printed_values.py::test_a_divergence_of_two_coins | loss | KLDivergence
Keras | test_losses.py::test_metrics_equal_keras | metric | BinaryAccuracy TopKCategoricalAccuracy Precision Recall F1Score AUC R2Score LossMetric
NumPy | test_losses.py::test_metrics_by_hand | metric | Precision Recall F1Score Perplexity AUC
NumPy | test_weighted_losses.py::test_confusion_matrix | metric | ConfusionMatrix
Keras | test_optimizers.py::test_optimizers_reproduce_keras | optimizer | SGD Adam AdamW Adagrad RMSprop Adadelta Adamax Nadam Lion Ftrl Adafactor Lamb
MindSpore | test_optimizers.py::test_optimizers_reproduce_mindspore | optimizer | SGD Adam AdamW Adagrad RMSprop Adadelta Adamax ProximalAdagrad Rprop Ftrl Adafactor
MindSpore | test_optimizers.py::test_lazy_adam_moves_the_rows_that_mindspore_moves | optimizer | LazyAdam
MindSpore | test_optimizers.py::test_asgd_averages_as_mindspore_does | optimizer | ASGD
papers, in NumPy | test_optimizer_papers.py::test_equations_are_those_of_the_papers | optimizer | Lamb LARS Ftrl Lookahead
papers | test_printed_values.py::test_the_first_step_of_adam_is_the_rate | optimizer | Adam
Keras | test_updates.py::test_accumulation_equals_keras | optimizer | GradientAccumulation WithGradientRules
Keras | test_from_native.py::test_optimizers_of_keras | optimizer | ExponentialMovingAverage
MindSpore | test_from_native.py::test_groups_are_groups_of_names | optimizer | ParameterGroups
Keras | test_convolutions.py::test_convolutions_equal_keras | layer | Conv1D Conv2D Conv3D DepthwiseConv1D DepthwiseConv2D SeparableConv1D SeparableConv2D Conv1DTranspose Conv2DTranspose Conv3DTranspose
SciPy | test_scipy.py::test_convolutions_are_the_correlations_of_scipy | layer | Conv1D Conv2D Conv3D
SciPy | test_scipy.py::test_transposed_convolutions_are_the_convolutions_of_scipy | layer | Conv1DTranspose Conv2DTranspose Conv3DTranspose
SciPy | test_scipy.py::test_depthwise_and_separable_are_correlations_channel_by_channel | layer | DepthwiseConv2D
Keras | test_convolutions.py::test_layers_without_weights_equal_keras | layer | MaxPooling1D MaxPooling2D MaxPooling3D AveragePooling1D AveragePooling2D AveragePooling3D GlobalAveragePooling1D GlobalAveragePooling2D GlobalAveragePooling3D GlobalMaxPooling1D GlobalMaxPooling2D GlobalMaxPooling3D ZeroPadding1D ZeroPadding2D ZeroPadding3D Cropping1D Cropping2D Cropping3D UpSampling1D UpSampling2D UpSampling3D
MindSpore | test_convolutions.py::test_layers_equal_mindspore | layer | Conv2D Conv2DTranspose MaxPooling2D AveragePooling2D
Keras | test_batch_norm.py::test_batch_norm_equals_keras | layer | BatchNormalization
MindSpore | test_batch_norm.py::test_batch_norm_equals_mindspore | layer | BatchNormalization
Keras | test_normalizations.py::test_normalizations_equal_keras | layer | LayerNormalization GroupNormalization InstanceNorm RMSNormalization
Keras | test_recurrent.py::test_layers_equal_keras | layer | SimpleRNN LSTM GRU
Keras | test_recurrent.py::test_both_directions_equal_keras | layer | Bidirectional
MindSpore | test_recurrent.py::test_an_lstm_equals_that_of_mindspore | layer | LSTM
the layer, step by step | test_recurrent.py::test_every_step_has_the_layer_and_its_weights | layer | TimeDistributed
Keras | test_attention.py::test_multi_head_attention_equals_keras | layer | MultiHeadAttention
MindSpore | test_attention.py::test_multi_head_attention_equals_mindspore | layer | MultiHeadAttention
Keras | test_attention.py::test_attention_equals_keras | layer | Attention
Keras | test_sequences.py::test_embedding_equals_keras | layer | Embedding
MindSpore | test_sequences.py::test_embedding_equals_mindspore | layer | Embedding
NumPy | test_sequences.py::test_padding_mask | layer | PaddingMask
papers, in NumPy | test_sequences.py::test_sinusoids_are_those_of_the_paper | layer | SinusoidalPositions
Keras | test_sequences.py::test_dot_equals_keras | layer | Dot
Keras | test_sequences.py::test_alpha_dropout_keeps_mean_and_variance_and_is_that_of_keras | layer | AlphaDropout
Keras | test_sequences.py::test_gaussian_layers_have_the_moments_of_keras | layer | GaussianNoise GaussianDropout
Keras | test_layer_penalties.py::test_activity_regularization_equals_keras | layer | ActivityRegularization
Keras | test_plain.py::test_merging_layers_equal_numpy_and_keras | layer | Add Multiply Average Maximum Concatenate
Keras | test_plain.py::test_subtract_equals_keras | layer | Subtract
Keras | test_plain.py::test_shapes_equal_keras | layer | Flatten Reshape Permute
Keras | test_plain.py::test_dense_equals_numpy_and_keras | layer | Dense
NumPy | test_plain.py::test_activation_and_features_are_what_they_say | layer | Activation PadFeatures PositionEmbedding
Keras | test_plain.py::test_a_dropout_divides_what_it_keeps_as_keras_does | layer | Dropout
Keras | test_plain.py::test_spatial_dropout_keeps_the_channels_that_keras_would | layer | SpatialDropout1D SpatialDropout2D SpatialDropout3D
NumPy | test_plain.py::test_gaussian_sampling_has_the_mean_and_the_variance_it_is_told | layer | GaussianSampling
NumPy | test_plain.py::test_models_are_compositions | layer | Sequential Model
textbooks | test_printed_values.py::test_numbers_of_weights_that_are_printed_everywhere | layer | Dense LSTM GRU
Keras | test_initializers.py::test_distributions_equal_keras | initializer | HeNormal GlorotNormal LecunNormal HeUniform GlorotUniform LecunUniform RandomNormal RandomUniform TruncatedNormal VarianceScaling Orthogonal
SciPy | test_scipy.py::test_initializers_draw_from_the_distributions_of_scipy | initializer | RandomNormal RandomUniform TruncatedNormal GlorotUniform HeNormal LecunUniform
papers | test_printed_values.py::test_limits_and_deviations_of_initial_weights | initializer | GlorotUniform HeNormal
NumPy | test_initializers.py::test_dirac_passes_channels_on | initializer | Dirac
Keras | test_plain.py::test_constants_equal_keras | initializer | Zeros Ones Constant
Keras | test_plain.py::test_identity_equals_keras | initializer | Identity
Keras | test_plain.py::test_forget_bias_equals_keras | initializer | ForgetBias
Keras | test_plain.py::test_accuracy_equals_keras | metric | Accuracy
"""

WITHOUT = {
    "optimizer.StochasticWeightAverage": "neither framework has one; a mean that the cases check",
    "optimizer.LearningRateMultipliers": "a product of rates; neither framework has one",
}
"""Entries that meet no other implementation, and why."""


def witnesses() -> dict[str, list[tuple[str, str]]]:
    """Return who and where, by kind."""
    found: dict[str, list[tuple[str, str]]] = {}
    for line in LINES.strip().splitlines():
        who, test, family, names = line.split(" | ")
        for name in names.split():
            found.setdefault(f"{family}.{name}", []).append((who, test))
    return found
