"""Formats on the way out: each turns a tree into the lines that stand for it."""
