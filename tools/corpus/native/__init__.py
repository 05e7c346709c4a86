"""The native cases of `cases/conventions/`, step by step."""
