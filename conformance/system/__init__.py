"""This machine, and where on it may be written."""
