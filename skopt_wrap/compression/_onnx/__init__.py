"""Networks and their preprocessing as ONNX files, checked with ONNX Runtime."""
