"""What is a wrong transposed convolution instead?"""

from conformance.verdicts.diagnosis.mistake import Call, Mistake
from conformance.verdicts.diagnosis.search import (
    UNEXPLAINED,
    diagnose,
    diagnosed,
    diagnosed_gradients,
    made_mistakes,
)

__all__ = [
    "UNEXPLAINED",
    "Call",
    "Mistake",
    "diagnose",
    "diagnosed",
    "diagnosed_gradients",
    "made_mistakes",
]
