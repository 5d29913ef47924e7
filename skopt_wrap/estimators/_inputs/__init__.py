"""X for networks that take more than one array of numbers: several inputs, text, sequences."""
