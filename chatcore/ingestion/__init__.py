"""Bulk ingestion: conversations from elsewhere, prepared, gathered into batches, and stored."""
