"""What is a case as a program that needs nothing of this suite?"""

from conformance.programs.source import (
    ROLES,
    array,
    fixed,
    input_padding,
    program,
    refused,
    rendered,
    template,
)

__all__ = ["ROLES", "array", "fixed", "input_padding", "program", "refused", "rendered", "template"]
