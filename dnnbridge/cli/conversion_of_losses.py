"""Which differences of MindSpore and Keras concern the losses of a model, and what was done."""

from __future__ import annotations

from dnnbridge import losses
from dnnbridge.cli.conversion_facts import Concern, Facts, Rule, Rules, listed


def _loss(kind: type[losses.AbstractLoss], says: str, done: str) -> Rule:
    """Return the rule for a loss whose native class computes something else."""

    def rule(facts: Facts) -> Concern | None:
        found = [place for place, _ in facts.losses(kind)]
        return Concern(listed(found), says, done) if found and facts.to_mindspore else None

    return rule


WRITTEN = "No loss of MindSpore is used: the class `Loss` of the file has the equation."


def _sum(facts: Facts) -> Concern | None:
    found = [p for p, each in facts.losses(losses.AbstractLoss) if each.reduction == "sum"]
    if not found or not facts.to_mindspore:
        return None
    says = "reduction='sum' adds up all elements in MindSpore, the means of the examples in Keras."
    return Concern(listed(found), says, f"This model has Keras' form. {WRITTEN}")


def _bce(facts: Facts) -> Concern | None:
    found = [p for p, each in facts.losses(losses.BinaryCrossentropy) if not each.from_logits]
    if not found or not facts.to_mindspore:
        return None
    says = (
        "For a sure wrong answer `nn.BCELoss` adds 1e-12 to the probability (loss 27.6, gradient "
        "-1e12); Keras clips it at 1e-7 (loss 16.1, gradient 0)."
    )
    return Concern(listed(found), says, f"{WRITTEN} It clips as in Keras.")


def _clip_order(facts: Facts) -> Concern | None:
    kinds = (losses.SparseCategoricalCrossentropy, losses.CategoricalCrossentropy)
    found = [p for kind in kinds for p, each in facts.losses(kind) if not each.from_logits]
    if not found or not facts.to_mindspore:
        return None
    says = (
        "Keras divides predictions by their sum and clips them to [1e-7, 1 - 1e-7]; MindSpore's "
        "losses take logits."
    )
    softmax = "softmax" in facts.source
    done = (
        f"{WRITTEN} After a softmax it takes the logits, which is the same without the clipping."
        if softmax
        else WRITTEN
    )
    return Concern(listed(found), says, done)


RULES: Rules = {
    "reduction-sum": _sum,
    "mse-broadcast": _loss(
        losses.MeanSquaredError,
        "`nn.MSELoss` broadcasts labels (n,) against predictions (n, 1) to (n, n), without an "
        "error.",
        f"{WRITTEN} Give it labels with the shape of the predictions: `train` names it.",
    ),
    "sparse-mean-infinite": _loss(
        losses.SparseCategoricalCrossentropy,
        "`nn.SoftmaxCrossEntropyWithLogits(sparse=True, reduction='mean')` is infinite once a "
        "probability underflows, and 'none' is its default, not the mean.",
        WRITTEN,
    ),
    "bad-label-zero": _loss(
        losses.SparseCategoricalCrossentropy,
        "MindSpore's loss of a label that is no class is 0, and nothing is said.",
        "Nothing in the file: check the labels. `Run.fit` does.",
    ),
    "bce-clipping": _bce,
    "bce-one": _loss(
        losses.BinaryCrossentropy,
        "The mean and the gradient of `nn.BCELoss` of a single element are twice too large.",
        WRITTEN,
    ),
    "probabilities-clip-order": _clip_order,
    "kl-mean": _loss(
        losses.KLDivergence,
        "`nn.KLDivLoss` divides by all elements, Keras by the examples.",
        WRITTEN,
    ),
    "cosine-offset": _loss(
        losses.CosineSimilarity,
        "`nn.CosineEmbeddingLoss` is 1 - cos, Keras' CosineSimilarity is -cos.",
        WRITTEN,
    ),
}
"""What tells whether a row of the page concerns a model, by the id of the row."""
