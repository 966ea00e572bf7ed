"""The NumPy float64 reference."""
