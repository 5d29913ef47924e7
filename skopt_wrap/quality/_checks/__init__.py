"""Look for what may be wrong with a table: one file for each topic. They change nothing."""
