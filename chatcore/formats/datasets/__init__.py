"""What models are trained on and judged by: files of records, each of them a conversation."""
