"""The wire contract: events, units, topics, and the codecs between bytes and events. Imports nothing of ours."""
