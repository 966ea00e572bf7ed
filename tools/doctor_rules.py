"""Write the tables of rules in docs/guide/doctor.md.

python tools/doctor_rules.py
"""

from __future__ import annotations

from pathlib import Path

from dnnbridge.doctor.rule import Rule
from dnnbridge.doctor.rules import RULES, UNTOLD
from dnnbridge.doctor.table import rows

GUIDE = Path(__file__).parents[1] / "docs" / "guide" / "doctor.md"

MARKS = ("<!-- rules: tools/doctor_rules.py -->\n", "<!-- end of rules -->\n")

LINK = "../measurements/native-differences.md"


def tables() -> str:
    """Return the table of rules, of those that only a conversion uses, and of other rows."""
    seen = [rule for rule in RULES.values() if not rule.unseen]
    unseen = [rule for rule in RULES.values() if rule.unseen]
    lines = [
        f"{len(seen)} rules can be told from a model:",
        "",
        "| rule | stage | Keras | MindSpore | measured |",
        "|---|---|---|---|---|",
        *map(_line, seen),
        "",
        f"{len(unseen)} more are only in the report of `dnnbridge convert`:",
        "",
        "| rule | why `lint` does not report it |",
        "|---|---|",
        *(f"| {_linked(rule.name)} | {rule.unseen} |" for rule in unseen),
        "",
        f"{len(UNTOLD)} rows of the measured table are no rules: a model does not tell them.",
        "",
        "| row | why |",
        "|---|---|",
        *(f"| {_linked(name)} | {UNTOLD[name]} |" for name in rows() if name in UNTOLD),
    ]
    return "\n".join(lines) + "\n"


def _linked(name: str) -> str:
    return f"[{name}]({LINK}#{name})"


def _line(rule: Rule) -> str:
    only = f"; only for {rule.only}" if rule.only else ""
    cells = (
        _linked(rule.name),
        rule.stage,
        ", ".join(f"`{name}`" for name in rule.keras),
        ", ".join(f"`{name}`" for name in rule.mindspore),
        f"{rule.effect}{only}".replace("|", "\\|"),
    )
    return f"| {' | '.join(cells)} |"


def page() -> str:
    """Return the text of the guide with fresh tables."""
    begin, end = MARKS
    before, _, rest = GUIDE.read_text("utf-8").partition(begin)
    return f"{before}{begin}{tables()}{end}{rest.partition(end)[2]}"


if __name__ == "__main__":
    GUIDE.write_text(page(), encoding="utf-8")
