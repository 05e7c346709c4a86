"""Which release of a package changed what a case comes to?"""
