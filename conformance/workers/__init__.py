"""Engines in processes of their own: the protocol, the child, the parent's handle of one, and the pool."""
