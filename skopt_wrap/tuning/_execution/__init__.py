"""How trials are run, in this process or in others; nothing here says what a trial tries."""
