"""Retraining of a deployed model: buffers, duels of champion and challenger, events."""
