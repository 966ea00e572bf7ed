"""Ground that everything stands on: arrays, files, messages, signals, random numbers."""
