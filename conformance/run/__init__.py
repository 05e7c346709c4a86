"""How is a run carried out?"""
