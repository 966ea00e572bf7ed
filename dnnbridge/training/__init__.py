"""The runtime: fit, evaluate, predict, on any backend."""
