"""Running, timing and writing ``.tflite`` files with LiteRT; nothing here needs Keras."""
