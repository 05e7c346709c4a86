"""What is this machine, and where on it may be written?"""
