"""Mathematics of monitoring: evidence, effect sizes, sketches. Pure functions and small states."""
