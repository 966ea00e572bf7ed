"""The program of an experiment: its functions, their graphs and the state."""
