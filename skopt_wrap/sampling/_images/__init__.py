"""Transforms of images and their kernels; reading X and choosing transforms happen elsewhere."""
