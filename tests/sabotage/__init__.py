"""Backends that are wrong on purpose: each has to fail the check that looks there."""
