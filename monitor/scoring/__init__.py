"""From wearers that are due to published scores: micro-batches on a device thread."""
