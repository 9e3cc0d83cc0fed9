"""Signal processing on (wearers x time) arrays: causal, pure, one method a file, no state."""
