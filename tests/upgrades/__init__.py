"""Logs that one version of the engine has begun and another goes on with."""
