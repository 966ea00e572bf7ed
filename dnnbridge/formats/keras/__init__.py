"""Keras' models as JSON and HDF5, read without Keras: no code in a file is run."""
