"""What Pulsewarden costs, measured in interleaved rounds; `python -m benchmarks --help`."""
