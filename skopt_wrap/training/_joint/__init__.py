"""Training of several networks of equal architecture in one graph; no file knows an estimator."""
