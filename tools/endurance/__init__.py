"""Measure what long trainings and many compilations leave behind in a process."""
