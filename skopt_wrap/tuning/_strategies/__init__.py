"""How trials are proposed, one strategy a file; nothing here trains or stores a trial."""
