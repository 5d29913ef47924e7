"""Features: which columns are of which sort, and what each sort is turned into."""
