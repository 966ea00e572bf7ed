"""Random experiments: hypothesis strategies, which need `pip install 'dnnbridge[test]'`."""

from dnnbridge.testing.random_programs.checking import check_random_programs
from dnnbridge.testing.random_programs.experiments import experiments

__all__ = ["check_random_programs", "experiments"]
