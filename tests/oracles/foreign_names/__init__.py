"""Public names of Keras and MindSpore: found by walking both, and compared with our table."""
