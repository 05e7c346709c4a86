"""How does each framework read its models? One file a format, imported in a child alone."""
