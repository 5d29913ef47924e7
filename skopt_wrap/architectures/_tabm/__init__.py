"""The network "tabm": its layers, its loss and its builder. It does not train anything."""
