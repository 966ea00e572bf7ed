"""Sources of batches: what is read batch by batch, and how it is recognised."""
