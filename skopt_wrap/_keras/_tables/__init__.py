"""What networks for tables need: columns, the layer that prepares them, coarse dropout."""
