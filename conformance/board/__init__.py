"""What do many records say together: which engine, in which release and where, gets what wrong?"""
