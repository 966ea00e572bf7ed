"""What `align` does not find yet, or finds in another way than planned."""

LIMITS: dict[str, str] = {}
"""Why, by the name of the pair."""
