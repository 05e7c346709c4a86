"""What else is a transposed convolution? Four ways to compute it, each as its textbook says."""
