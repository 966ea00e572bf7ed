"""Experiments as Keras' files, written without Keras; Keras itself reads them."""
