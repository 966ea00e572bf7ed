"""What `align` does not find yet, or finds in another way than planned."""

LIMITS: dict[str, str] = {
    "norm-in-the-wrong-place": "The structure is that of the first model, so another order of two "
    "layers is named as the activations of both places.",
}
"""Why, by the name of the pair."""
