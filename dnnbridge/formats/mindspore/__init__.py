"""MindSpore's Cells, losses, optimizers and checkpoints, as specs and arrays."""
