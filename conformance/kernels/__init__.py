"""Is a kernel right, at which calls, and how fast is it?"""
