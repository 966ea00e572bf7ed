"""Write a comparison as one self-contained HTML file."""

from __future__ import annotations

from importlib.metadata import version
from typing import Any

from dnnbridge.base.packages import require_report
from dnnbridge.report import wording
from dnnbridge.report.comparing import Comparison


def render(comparison: Comparison, title: str = "Comparison of backends") -> str:
    """Return the report: summary, tables and curves, without external resources.

    Raises:
        PackageNotInstalledError: the packages of the extra `report` are missing.
    """
    return fill("template.html", _content(comparison, title))


def fill(template: str, content: dict[str, Any]) -> str:
    """Fill a template of this folder with the content, escaped."""
    require_report("An HTML report")
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("dnnbridge.report", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "number": wording.number,
        "difference": wording.difference,
        "coded": _coded,
    }
    return environment.get_template(template).render(content)


def _coded(text: str) -> Any:
    """Return text in which what stands between backticks is code; the rest is escaped."""
    from markupsafe import Markup, escape

    parts = text.split("`")
    if len(parts) % 2 == 0:
        return escape(text)
    code = (
        Markup("<code>{}</code>").format(part) if i % 2 else escape(part)
        for i, part in enumerate(parts)
    )
    return Markup("").join(code)


def _content(comparison: Comparison, title: str) -> dict[str, Any]:
    require_report("An HTML report")
    from markupsafe import Markup

    from dnnbridge.report import curves

    metric, metric_curve = curves.epoch_metric(comparison)
    return {
        "title": title,
        "version": version("dnnbridge"),
        "comparison": comparison,
        "summary": wording.summary(comparison),
        "start": wording.start(comparison),
        "verdicts": [(pair, wording.verdict(pair)) for pair in comparison.pairs],
        "explanation": wording.explanation(comparison),
        "labels": [name for name in comparison.recordings[0].epochs[0] if name != "seconds"],
        "losses": Markup(curves.training_loss(comparison)),
        "differences": Markup(curves.differences(comparison)),
        "metric": metric,
        "metric_curve": Markup(metric_curve),
        "experiment": comparison.experiment.to_json(),
    }
