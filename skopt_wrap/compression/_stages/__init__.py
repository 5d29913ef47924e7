"""The stages of a compression and the pipeline that runs them; converters run elsewhere."""
