"""The meaning of a result."""
