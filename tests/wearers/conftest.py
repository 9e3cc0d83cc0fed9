"""A local S3 server, started when the first test asks for it, and a bucket of its own for each test."""

import socket
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from pyarrow import fs

from monitor.local.leash import Leashed, spawn
from monitor.local.servers import listening


class BucketServer:
    """An S3-compatible server on a loopback port; it checks no keys."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port: int = free.getsockname()[1]
        self.process = self.start()

    def start(self) -> Leashed:
        """Start it (again) on the same port and folder, and wait until it listens."""
        argv: list[str | Path] = [sys.executable, "-m", "localbucket", "--port", str(self.port), self._folder / "data"]
        self.process = spawn("S3", argv, self._folder / "server.log")
        while not listening(self.port):
            assert self.process.poll() is None, self.process.log.read_text()
        return self.process

    def files(self) -> fs.S3FileSystem:
        """Return a client that tries once, so that a test of an outage does not wait for it to pass."""
        return fs.S3FileSystem(
            access_key="KEY",
            secret_key="SECRET",  # noqa: S106  it checks none
            endpoint_override=f"127.0.0.1:{self.port}",
            scheme="http",
            region="us-east-1",
            allow_bucket_creation=True,
            retry_strategy=fs.AwsStandardS3RetryStrategy(max_attempts=1),
        )

    def url(self, bucket: str) -> str:
        """Return the URL of a folder in a bucket, as an operator would write it."""
        options = f"endpoint_override=127.0.0.1:{self.port}&scheme=http&region=us-east-1"
        return f"s3://KEY:SECRET@{bucket}/ward/7?{options}"


@pytest.fixture(scope="session")
def bucket_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BucketServer]:
    """One S3 server for all tests."""
    server = BucketServer(tmp_path_factory.mktemp("s3"))
    yield server
    server.process.stop()


@pytest.fixture
def bucket(bucket_server: BucketServer) -> str:
    """The name of a new bucket."""
    name = f"b{uuid.uuid4().hex}"
    bucket_server.files().create_dir(name)
    return name


@pytest.fixture
def bucket_url(bucket_server: BucketServer, bucket: str) -> str:
    """The URL of a folder in a new bucket: a place for checkpoints or journal."""
    return bucket_server.url(bucket)
