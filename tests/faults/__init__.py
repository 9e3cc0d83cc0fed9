"""Fault runs: a seeded stream with alerts that are known beforehand, something that breaks, and who decides."""
