"""MindSpore models: plain source, and checkpoint files."""
