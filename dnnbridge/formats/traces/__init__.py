"""Files of traces: what a training has computed at some of its steps."""
