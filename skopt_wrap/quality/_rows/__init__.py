"""Checks of rows: one topic a file, pure functions of arrays."""
