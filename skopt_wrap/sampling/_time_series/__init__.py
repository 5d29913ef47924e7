"""Transforms of time series; reading X and choosing transforms happen elsewhere."""
