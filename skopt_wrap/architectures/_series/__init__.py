"""Networks for time series."""
