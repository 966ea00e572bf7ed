"""Public names of Keras and MindSpore: found by walking both, and held to a table of ours."""
