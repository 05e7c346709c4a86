"""What is a call of one framework in another: the arguments or the shortest recipe, the proof, and
the trap?
"""

from conformance.errors import PortError
from conformance.porting.modellayers import source_file, tensors_of
from conformance.porting.modules import FORMS
from conformance.porting.ports import (
    LayerFile,
    Port,
    check_name,
    layer_file,
    port,
    port_layers,
    port_model,
)
from conformance.porting.proof import Proof
from conformance.porting.trap import Trap

__all__ = [
    "FORMS",
    "LayerFile",
    "Port",
    "PortError",
    "Proof",
    "Trap",
    "check_name",
    "layer_file",
    "port",
    "port_layers",
    "port_model",
    "source_file",
    "tensors_of",
]
