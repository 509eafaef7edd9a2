"""Adaptive Cards: a value in, a card out. Nothing here reads a store, a clock or an activity."""
