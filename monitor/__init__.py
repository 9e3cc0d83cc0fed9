"""Pulsewarden."""
