"""The tables, a module for each kind of row: together they are what units need."""
