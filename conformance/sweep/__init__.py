"""What fails among random calls? Every distinct failure, shrunk and written as a case."""

from conformance.sweep.campaign import Request, Swept, sweep
from conformance.sweep.draw import Wish
from conformance.sweep.kinds import Failure

__all__ = ["Failure", "Request", "Swept", "Wish", "sweep"]
