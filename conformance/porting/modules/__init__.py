"""What is a port as a layer, whose weights come from the source's own file by name?"""

from conformance.porting.modules.assembly import FORMS, module_code
from conformance.porting.modules.part import Part
from conformance.porting.modules.parts import parts_of
from conformance.porting.modules.proof import ModuleProof, prove_module

__all__ = ["FORMS", "ModuleProof", "Part", "module_code", "parts_of", "prove_module"]
