"""Read and write ONNX files."""
