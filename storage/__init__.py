"""The ports made real: SQLite (embedded) and key files."""
