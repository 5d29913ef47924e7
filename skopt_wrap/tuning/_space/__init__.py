"""What is searched: parameters, their values and conditions; nothing here proposes or trains."""
