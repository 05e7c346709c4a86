"""An engine module that dies while it is imported. It writes the start down first, as the
miniatures do.
"""

from __future__ import annotations

import os

from miniatures import note

note("start")
os.abort()
