"""Makes the live table and bucket say what a restored table says: the state of an earlier moment.

    restore.py RESTORED LIVE BUCKET MOMENT

RESTORED is the table that `aws dynamodb restore-table-to-point-in-time` made for MOMENT (as given to it,
such as 2026-11-21T10:00:00Z), LIVE and BUCKET are those of the deployment, whose callers are shut out
meanwhile (docs/aws.md, Runbook). Rows of LIVE that RESTORED does not have are deleted, those it has are
written as they are there, and content that was deleted from the bucket since MOMENT is there again. It may
be broken off and run again at any time.
"""

import datetime
import random
import sys
import time

import boto3

KEY = ("pk", "sk")
# What DynamoDB takes at a time.
BATCH = 25
# The longest pause, in seconds, before DynamoDB is asked again to do what it left.
PAUSE = 20


def main(restored, live, bucket, moment):
    moment = datetime.datetime.fromisoformat(moment.replace("Z", "+00:00"))
    if moment.tzinfo is None:
        sys.exit(f"error: {moment} says no zone\n  next:  write it like 2026-11-21T10:00:00Z")
    dynamodb, s3 = boto3.client("dynamodb"), boto3.client("s3")
    for table in (restored, live):
        schema = dynamodb.describe_table(TableName=table)["Table"]["KeySchema"]
        if sorted(key["AttributeName"] for key in schema) != sorted(KEY):
            sys.exit(f"error: {table} is no table of mano\n  next:  look at the stack's output TableName")
    # Content first: whatever a row names must be there.
    told("pieces of content are there again", undeleted(s3, bucket, moment))
    wanted = set()
    told("rows are written", written(dynamodb, live, (
        {"PutRequest": {"Item": row}} for row in rows(dynamodb, restored, wanted))))
    told("rows are deleted", written(dynamodb, live, (
        {"DeleteRequest": {"Key": key}} for key in keys(dynamodb, live) if identity(key) not in wanted)))


def told(what, counts):
    """Shows a number while it grows."""
    number = 0
    for number in counts:
        print(f"\r{number:>12,} {what}", end="", flush=True)
    print(f"\r{number:>12,} {what}")


def identity(row):
    return tuple(row[name]["S"] for name in KEY)


def rows(dynamodb, table, seen):
    """Every row; its key is remembered."""
    for page in dynamodb.get_paginator("scan").paginate(TableName=table, ConsistentRead=True):
        for row in page["Items"]:
            seen.add(identity(row))
            yield row


def keys(dynamodb, table):
    scan = dynamodb.get_paginator("scan")
    for page in scan.paginate(TableName=table, ConsistentRead=True, ProjectionExpression=",".join(KEY)):
        yield from page["Items"]


def written(dynamodb, table, requests):
    """Carries requests out; after each batch, how many were."""
    number, batch = 0, []
    for request in requests:
        batch.append(request)
        if len(batch) == BATCH:
            number += carried_out(dynamodb, table, batch)
            yield number
            batch = []
    if batch:
        yield number + carried_out(dynamodb, table, batch)


def carried_out(dynamodb, table, batch):
    left, longest = {table: batch}, 0.1
    while left := dynamodb.batch_write_item(RequestItems=left)["UnprocessedItems"]:
        time.sleep(random.uniform(0, longest))
        longest = min(2 * longest, PAUSE)
    return len(batch)


def undeleted(s3, bucket, moment):
    """Takes the marks of deletion away that are younger than the moment; how many, as they go.

    All of a key: what was deleted twice has two, and is there again when both are gone.
    """
    # S3 says seconds.
    moment, number = moment.replace(microsecond=0), 0
    for page in s3.get_paginator("list_object_versions").paginate(Bucket=bucket):
        for mark in page.get("DeleteMarkers", []):
            if mark["LastModified"] >= moment:
                s3.delete_object(Bucket=bucket, Key=mark["Key"], VersionId=mark["VersionId"])
                number += 1
                yield number


if __name__ == "__main__":
    if len(sys.argv) != 5:
        sys.exit(__doc__)
    main(*sys.argv[1:])
