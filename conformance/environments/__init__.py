"""Which interpreter has an engine's packages: the suite's own, or one of an environment that was
installed for it?
"""

from conformance.environments.installation import (
    Installed,
    NotInstalled,
    advice,
    find,
    install,
    installable,
    interpreter,
    remove,
)

__all__ = [
    "Installed",
    "NotInstalled",
    "advice",
    "find",
    "install",
    "installable",
    "interpreter",
    "remove",
]
