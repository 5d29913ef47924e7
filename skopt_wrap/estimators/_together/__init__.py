"""Several fits at once: what each is asked for, and the rows that they share."""
