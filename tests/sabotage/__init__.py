"""Backends that are wrong on purpose: each must fail the check for that part."""
