"""What does a plan look like as a program that can be pasted and run?"""

from conformance.porting.code.spelling import Spoken
from conformance.porting.code.writer import Program, program, source_program, spelled

__all__ = ["Program", "Spoken", "program", "source_program", "spelled"]
