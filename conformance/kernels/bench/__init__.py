"""What happens in the process of a candidate, and in that of the reference?"""
