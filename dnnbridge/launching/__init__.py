"""Start the processes of a training on several workers, and watch over them."""
