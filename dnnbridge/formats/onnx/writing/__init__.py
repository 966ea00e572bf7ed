"""Write a prediction as an ONNX file."""
