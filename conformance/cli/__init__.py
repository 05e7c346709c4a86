"""How is the suite asked from a command line? A command imports what is heavy when it is called."""

from conformance.cli.app import app
from conformance.cli.main import main

__all__ = ["app", "main"]
