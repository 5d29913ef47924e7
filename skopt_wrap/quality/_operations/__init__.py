"""Find and mend what is wrong with columns: one file for each operation. They know no target."""
