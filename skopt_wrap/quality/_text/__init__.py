"""Texts that stand for numbers, booleans and dates, and spellings of one category."""
