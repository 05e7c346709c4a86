"""What is a call of one framework in another: the arguments or the shortest recipe, the proof, and
the look-alike call?
"""

from conformance.errors import PortError
from conformance.porting.look_alike import LookAlike
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

__all__ = [
    "FORMS",
    "LayerFile",
    "LookAlike",
    "Port",
    "PortError",
    "Proof",
    "check_name",
    "layer_file",
    "port",
    "port_layers",
    "port_model",
    "source_file",
    "tensors_of",
]
