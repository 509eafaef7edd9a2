"""The core: what a snapshot is and decides. No Teams, no database, no clock, no network."""
