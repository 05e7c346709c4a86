"""Instruction sets and what was measured on them, step by step."""
