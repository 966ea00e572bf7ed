"""A toy backend of dnnbridge: NumPy with the autograd package."""
