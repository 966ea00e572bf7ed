"""How examples reach a compiled call: batches, buffers, a thread ahead."""
