"""What `align` does not find yet, or finds in another way than planned."""

LIMITS: dict[str, str] = {
    "norm-in-the-wrong-place": "The structure is that of the first model, so another order of "
    "layers is named as the activations of both places.",
    "new-kind-of-pool": "Layers without weights are matched by their class: another class is "
    "refused, with the words that the layers could not be matched.",
    "new-deep-gru-rate": "The cause is right. It shows in the update first, as Adam adds "
    "epsilon to a root that is not corrected for its start.",
}
"""Why, by the name of the pair."""
