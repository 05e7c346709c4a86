"""What does the file of a run say, and how do two of them differ?"""
