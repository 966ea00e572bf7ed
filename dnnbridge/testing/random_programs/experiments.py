"""The strategy of whole experiments."""

from __future__ import annotations

from hypothesis import strategies as st

from dnnbridge.experiment import Experiment
from dnnbridge.heads import Head
from dnnbridge.testing.random_programs import updates
from dnnbridge.testing.random_programs.models import Draw, models


@st.composite
def experiments(draw: Draw) -> Experiment:
    """Draw a valid experiment; it shrinks to a `Dense` that `SGD` trains."""
    sizes = draw(st.sampled_from([(2,), (3,), (1,), (3, 2)]))
    found = [draw(updates.of_outputs(size)) for size in sizes]
    heads = [Head(name, loss, weight=0.5) for name, loss in zip(("a", "b"), found, strict=False)]
    return Experiment(
        draw(models(sizes)),
        heads if len(sizes) > 1 else found[0],
        draw(updates.of_weights()),
        seed=draw(st.integers(0, 3)),
        **draw(updates.around()),
    )
