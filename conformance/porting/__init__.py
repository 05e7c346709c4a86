"""What is a call of one framework in another: the arguments or the shortest recipe, the proof, and
the trap?
"""

from conformance.errors import PortError
from conformance.porting.ports import Port, port, port_model
from conformance.porting.proof import Proof
from conformance.porting.trap import Trap

__all__ = ["Port", "PortError", "Proof", "Trap", "port", "port_model"]
