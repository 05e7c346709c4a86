"""The covering design of `cases/arithmetic/`, step by step."""
