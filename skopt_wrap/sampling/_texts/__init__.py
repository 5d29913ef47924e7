"""Transforms of texts and their word lists; reading X and choosing transforms happen elsewhere."""
