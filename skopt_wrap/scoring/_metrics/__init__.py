"""Metrics, one object each, and the functions behind them; they call no estimator."""
