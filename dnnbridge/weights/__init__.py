"""What holds for a weight wherever it is: regularizers, constraints, rules by name."""
