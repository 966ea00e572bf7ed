"""Experiments as plain Python source of a framework, which needs no dnnbridge."""
