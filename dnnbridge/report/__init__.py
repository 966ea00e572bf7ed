"""Compare trainings of one experiment on several backends, and write an HTML report."""

from dnnbridge.report.comparing import Comparison, Pair, compare
from dnnbridge.report.html import render
from dnnbridge.report.recording import Recorder, Recording
from dnnbridge.report.serializing import to_json

__all__ = ["Comparison", "Pair", "Recorder", "Recording", "compare", "render", "to_json"]
