"""Tables as people have them: frames and arrays with gaps and categories, as numbers and codes."""
