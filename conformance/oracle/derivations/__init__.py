"""Four other ways to compute a transposed convolution, each as its textbook defines it."""
