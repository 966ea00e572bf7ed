"""The texts that a model knows."""

from __future__ import annotations

from dnnbridge.layers import StringLookup
from dnnbridge.models.base import AbstractModel
from dnnbridge.specs.rewriting import specs_in


def vocabulary_of(model: AbstractModel) -> list[str]:
    """Return the texts of all lookups of a model, each once, in order.

    Example:
        >>> from dnnbridge import Input, Sequential
        >>> lookup = StringLookup(vocabulary=["no", "yes"])
        >>> vocabulary_of(Sequential([Input((1,), "string"), lookup]))
        ['no', 'yes']
    """
    lookups = [each for each in specs_in(model) if isinstance(each, StringLookup)]
    return list(dict.fromkeys(text for each in lookups for text in each.vocabulary or ()))
