"""ONNX files to layers and weights."""
