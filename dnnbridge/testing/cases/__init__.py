"""The cases of the suite, as data. Every backend must agree with the reference on them."""
