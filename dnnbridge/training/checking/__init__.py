"""Check that data and arguments fit the experiment of a run."""
