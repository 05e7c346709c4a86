"""What is a call of one framework in another: the arguments or the shortest recipe, the proof, and
the trap?
"""

from conformance.errors import PortError
from conformance.porting.modules import FORMS
from conformance.porting.ports import LayerFile, Port, layer_file, port, port_model
from conformance.porting.proof import Proof
from conformance.porting.trap import Trap

__all__ = [
    "FORMS",
    "LayerFile",
    "Port",
    "PortError",
    "Proof",
    "Trap",
    "layer_file",
    "port",
    "port_model",
]
