"""Which mistakes do tests notice: those of public suites, of this one, and one's own?"""
