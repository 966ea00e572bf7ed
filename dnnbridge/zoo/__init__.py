"""Well-known models as specs, built from public layers.

Unless it says otherwise, a function returns a model that predicts logits: train it with a loss with
`from_logits=True`. The number of weights is that of the paper.
"""

from dnnbridge.zoo.adversarial import Adversaries, dcgan
from dnnbridge.zoo.autoencoders import autoencoder, variational_autoencoder
from dnnbridge.zoo.images import lenet5, mlp, vgg11
from dnnbridge.zoo.resnet import resnet18, resnet50, resnet_cifar
from dnnbridge.zoo.text import lstm_classifier, transformer_classifier

__all__ = [
    "Adversaries",
    "autoencoder",
    "dcgan",
    "lenet5",
    "lstm_classifier",
    "mlp",
    "resnet18",
    "resnet50",
    "resnet_cifar",
    "transformer_classifier",
    "variational_autoencoder",
    "vgg11",
]
