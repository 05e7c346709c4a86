"""What does a call say, in its framework's own words?"""

from conformance.porting.calls.reader import read

__all__ = ["read"]
