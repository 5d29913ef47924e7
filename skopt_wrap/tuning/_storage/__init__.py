"""How a search is written down and continued; nothing here runs a trial."""
