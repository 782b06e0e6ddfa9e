"""Collections of dialogues, and saved pages."""
