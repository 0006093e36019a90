"""The local store: SQLite with plain SQL."""
