"""Preprocessing and decisions as operations of the file, and what the file says of itself."""
