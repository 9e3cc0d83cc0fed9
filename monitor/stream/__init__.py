"""Faust lives here and only here: transport, cuts and claims, the worker and the projector."""
