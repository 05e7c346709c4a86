"""The search for the release of a package that changed the result of a case."""
