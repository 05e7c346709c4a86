"""What may a reader of strangers' files be given, and what may it answer?"""
