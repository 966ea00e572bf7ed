"""What a spec is: its fields, their checks, patterns of names, JSON."""

from dnnbridge.specs import unknown_kinds as unknown_kinds
