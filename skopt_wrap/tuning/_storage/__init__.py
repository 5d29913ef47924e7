"""How a search is written down and gone on with; nothing here runs a trial."""
