"""The packs: what people read, in YAML, and the one place that turns them into frozen values."""
