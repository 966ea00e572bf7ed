"""Bring models from frameworks, and take them back."""
