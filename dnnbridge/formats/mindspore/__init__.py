"""MindSpore: Cells, losses, optimizers and checkpoints as specs and arrays, and plain source."""
