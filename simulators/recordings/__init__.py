"""Real recordings as messages: what they say is published as it is, what they do not say is left out and counted."""
