"""The file of a run: its lines, and the differences between two such files."""
