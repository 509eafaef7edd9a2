"""Findings in; Word, PDF and Excel out."""
