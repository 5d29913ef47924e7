"""Texts that stand for something else: numbers, booleans, dates, one category spelt in many ways."""
