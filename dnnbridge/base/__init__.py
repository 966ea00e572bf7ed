"""Shared basics: arrays, files, messages, signals, random numbers."""
