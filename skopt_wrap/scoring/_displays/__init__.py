"""Plots of two-class classifiers; they compute no metric of their own."""
