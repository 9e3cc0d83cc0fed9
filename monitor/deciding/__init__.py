"""From events and timers to findings: what a wearer's records decide, in the order of their stamps."""
