"""Codes of the sleep stages that the simulators' arrays carry; 0 = out of bed or unknown."""

UNKNOWN, AWAKE, LIGHT, DEEP, REM = range(5)

NAMES = ("unknown", "awake", "light", "deep", "rem")
