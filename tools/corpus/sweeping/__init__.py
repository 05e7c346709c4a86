"""The sweep of conventions, step by step."""
