"""Measure the throughput of one and two workers, and model that of many."""
