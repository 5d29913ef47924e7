"""The imbalance report: its numbers, its text and its HTML; metrics are defined elsewhere."""
