"""What a worker does not need is not in its memory."""

import subprocess
import sys

from tests.patience import patience

PROGRAM = """
from monitor.stream.memory import without_pandas
without_pandas()
import sys
import pyarrow
assert pyarrow.array(["a", None]).null_count == 1
assert "pandas" not in sys.modules
"""


def test_a_worker_writes_tables_without_pandas_even_where_it_is_installed() -> None:
    subprocess.run([sys.executable, "-c", PROGRAM], check=True, timeout=patience(60))
