"""MindSpore backend of dnnbridge."""
