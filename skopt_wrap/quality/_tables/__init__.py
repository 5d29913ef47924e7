"""Tables of any library as columns of four kinds, and back."""
