"""Experiments as a plain Python file of Keras and TensorFlow, which needs no dnnbridge."""
