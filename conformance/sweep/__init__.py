"""What fails among random calls? Every distinct failure, shrunk and written as a case."""

from conformance.sweep.campaign import Swept, sweep
from conformance.sweep.draw import Wish
from conformance.sweep.kinds import Failure
from conformance.sweep.request import Request

__all__ = ["Failure", "Request", "Swept", "Wish", "sweep"]
