"""File formats: what people have, as conversations, and back."""
