"""``python -m monitor`` and the console script ``pulsewarden``."""

from monitor.cli import main

__all__ = ["main"]

if __name__ == "__main__":
    raise SystemExit(main())
