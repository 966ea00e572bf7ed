"""What every operation computes, in NumPy float64: the definition of its numbers."""
