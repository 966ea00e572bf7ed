"""TensorFlow backend of dnnbridge."""
