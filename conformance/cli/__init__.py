"""The command line of the suite. A command imports what is heavy when it is called."""

from conformance.cli.app import app
from conformance.cli.main import main

__all__ = ["app", "main"]
