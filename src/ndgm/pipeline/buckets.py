"""A store of objects that results go to: whether it can be written to, before Snakemake looks for them there."""

from typing import Any

SAYS = {"404": "there is no such bucket; make it first", "403": "the store denies access with these credentials"}


def unreachable(client: Any, prefix: str) -> str:
    """What keeps a bucket from being used, in one line; nothing where it can be.

    Args:
        client: A client of S3, boto3's or one like it.
        prefix: Where the results go, such as `s3://bucket/folder`.
    """
    bucket = prefix.removeprefix("s3://").partition("/")[0]
    try:
        client.head_bucket(Bucket=bucket)
    except Exception as fault:  # boto3's classes have no other base, and boto3 is optional
        code = getattr(fault, "response", {}).get("Error", {}).get("Code", "")
        return f"s3://{bucket}: {SAYS.get(code) or ' '.join(str(fault).split())}"
    return ""
