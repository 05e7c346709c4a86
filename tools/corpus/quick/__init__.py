"""The quick subset of the shipped cases, step by step."""
