"""`python -m dnnbridge` is the command `dnnbridge`."""

from dnnbridge.cli import main

main(prog_name="dnnbridge")
