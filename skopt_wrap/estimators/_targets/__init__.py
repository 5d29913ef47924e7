"""Data and targets: checked, and as the loss takes them; no file knows an estimator or network."""
