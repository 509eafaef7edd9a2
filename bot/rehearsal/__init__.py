"""A stand-in for Teams, for tests and rehearsals: people, chats and channels over real HTTP."""
