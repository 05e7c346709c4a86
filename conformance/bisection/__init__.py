"""Which release of a package changed what a case comes to: releases, environments, and the search between two."""
