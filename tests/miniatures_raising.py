"""An engine module that raises while it is imported, as a broken installation does."""

from __future__ import annotations

from miniatures import note

note("start")
raise ImportError("libminiature.so.7: cannot open shared object file")
