"""What is installed, what each framework sees, and what must be fixed: `dnnbridge doctor`."""
