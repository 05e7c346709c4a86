"""What does a result mean?"""
