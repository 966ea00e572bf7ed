"""Regularizers, constraints, and rules for weights by name."""
