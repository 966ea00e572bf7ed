"""The strategy of whole experiments."""

from __future__ import annotations

from hypothesis import strategies as st

from dnnbridge.errors import SpecError
from dnnbridge.experiment import Experiment
from dnnbridge.optimizers import Accumulation
from dnnbridge.program.heads import Head
from dnnbridge.testing.random_programs import updates
from dnnbridge.testing.random_programs.models import Draw, models


@st.composite
def experiments(draw: Draw) -> Experiment:
    """Draw a valid experiment; the simplest one is a `Dense` with `SGD`."""
    sizes = draw(st.sampled_from([(2,), (3,), (1,), (3, 2)]))
    found = [draw(updates.of_outputs(size)) for size in sizes]
    heads = [Head(name, loss, weight=0.5) for name, loss in zip(("a", "b"), found, strict=False)]
    fields = {
        "model": draw(models(sizes)),
        "loss": heads if len(sizes) > 1 else found[0],
        "optimizer": draw(updates.of_weights()),
        "seed": draw(st.integers(0, 3)),
    } | draw(updates.around())
    try:
        return Experiment(**fields)
    except SpecError:
        if "accumulate" not in fields:
            raise
        # These steps do not equal one large batch: for example a summed loss with a penalty.
        return Experiment(**fields | {"accumulate": Accumulation(2, mean="steps")})
