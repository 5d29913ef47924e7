"""Networks with several outputs: their targets, losses and metrics."""
