"""How one candidate is put together and scored; nothing here chooses candidates."""
