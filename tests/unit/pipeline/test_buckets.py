"""A bucket that cannot be used, in one line."""

import pytest

from ndgm.pipeline.buckets import unreachable


class Refused(Exception):
    """A store's answer, in the form in which boto3 raises it."""

    def __init__(self, code: str) -> None:
        super().__init__(f"An error occurred ({code})\nwhen calling the HeadBucket operation")
        self.response = {"Error": {"Code": code}}


class Client:
    """A client of S3 that raises what it is given, and keeps the bucket that it was asked for."""

    def __init__(self, fault: Exception | None) -> None:
        self.fault = fault

    def head_bucket(self, Bucket: str) -> None:
        """Ask whether a bucket is there."""
        self.asked = Bucket
        if self.fault:
            raise self.fault


@pytest.mark.parametrize("prefix", ["s3://bucket", "s3://bucket/", "s3://bucket/folder/below"])
def test_a_bucket_that_answers(prefix: str) -> None:
    """Nothing is said of it."""
    client = Client(None)
    assert unreachable(client, prefix) == "" and client.asked == "bucket"


@pytest.mark.parametrize(
    ("fault", "line"),
    [
        (Refused("404"), "there is no such bucket; make it first"),
        (Refused("403"), "the store denies access with these credentials"),
        (Refused("500"), "An error occurred (500) when calling the HeadBucket operation"),
        (RuntimeError("Unable to locate credentials"), "Unable to locate credentials"),
    ],
)
def test_a_bucket_that_does_not(fault: Exception, line: str) -> None:
    """One line says why, and names it."""
    assert unreachable(Client(fault), "s3://bucket/folder") == f"s3://bucket: {line}"
