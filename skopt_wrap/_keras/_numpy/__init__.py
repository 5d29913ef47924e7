"""Small networks computed by NumPy."""
