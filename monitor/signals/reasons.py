"""Bits of a minute's reason byte: what was refused or doubted, and what the device said of its wearer."""

OUT_OF_RANGE, OUTLIER, UNVERIFIED, EXERCISE, SAID_ASLEEP, SAID_AWAKE, SAID_REST = (1 << k for k in range(7))
