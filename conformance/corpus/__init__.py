"""What is a case, and what is true of it?"""
