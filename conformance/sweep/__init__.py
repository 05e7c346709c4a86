"""What fails among random calls? Every distinct failure, shrunk and written as a case."""

from conformance.sweep.campaign import Failure, Request, Swept, sweep
from conformance.sweep.draw import Wish

__all__ = ["Failure", "Request", "Swept", "Wish", "sweep"]
