"""People, watches and gateways that do not exist, with the truth about them; and replay of recordings that do."""
