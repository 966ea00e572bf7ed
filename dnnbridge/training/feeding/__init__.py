"""Bring examples to a compiled call: batches, buffers and a prefetching thread."""
