"""Cases: their files, their arrays, and the truth of each."""
