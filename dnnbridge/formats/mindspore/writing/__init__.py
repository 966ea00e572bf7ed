"""A run as plain MindSpore source, with a checkpoint beside it."""
