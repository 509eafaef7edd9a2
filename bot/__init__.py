"""Teams: what people do, and when things happen."""
