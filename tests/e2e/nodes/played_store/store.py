"""An S3 server of the tests' own (moto), and Longhorn's client of it.

The server judges every request as S3 does: by a key that it knows, a signature made with that key's secret, and a policy. It keeps
its buckets while it is down, as long as this process lives. It is imported where it is used: that takes seconds.
"""

from __future__ import annotations

import importlib
import json
import logging
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

REGION, BUCKET, PORT = "us-east-1", "backups", 9000
URL = f"s3://{BUCKET}@{REGION}/"
_POLICY = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}
_NEVER = "inf"
_MISSING = {"NoSuchKey", "404"}


class StoreError(Exception):
    """What the store has against a request, in the words of backupstore's S3 driver."""


class Store:
    """The server, with one bucket and one user who may use it. One at a time in a process: its state is the process's."""

    def __init__(self, address: str) -> None:
        self.endpoint = f"http://{address}:{PORT}"
        self._address = address
        self._server: Any = None
        logging.getLogger("werkzeug").setLevel(logging.ERROR)
        self.up()
        self._ask("reset")
        self._ask("reset-auth", _NEVER)
        iam = _client(self.endpoint, "nobody", "nothing", "iam")
        iam.create_user(UserName="longhorn")
        iam.put_user_policy(UserName="longhorn", PolicyName="s3", PolicyDocument=json.dumps(_POLICY))
        made = iam.create_access_key(UserName="longhorn")["AccessKey"]
        _client(self.endpoint, "nobody", "nothing").create_bucket(Bucket=BUCKET)
        self._ask("reset-auth", "0")
        self.credentials = {
            "AWS_ACCESS_KEY_ID": str(made["AccessKeyId"]),
            "AWS_SECRET_ACCESS_KEY": str(made["SecretAccessKey"]),
            "AWS_ENDPOINTS": self.endpoint,
        }
        """What the Secret of a backup target has to hold."""

    def _ask(self, what: str, body: str = "") -> None:
        place, kind = f"{self.endpoint}/moto-api/{what}", {"Content-Type": "text/plain"}
        with urlopen(Request(place, body.encode(), kind, method="POST"), timeout=10):  # noqa: S310 -- the server started above
            pass

    def up(self) -> None:
        """Serve; what was kept is there."""
        made = importlib.import_module("moto.moto_server.threaded_moto_server").ThreadedMotoServer
        self._server = made(ip_address=self._address, port=PORT, verbose=False)
        self._server.start()

    def down(self) -> None:
        """Serve no more: connections are refused."""
        if self._server:
            self._server.stop()
            self._server = None

    @property
    def bucket(self) -> Bucket:
        """For a test that looks into it, or spoils what is there."""
        return Bucket(URL, self.credentials)


class Bucket:
    """A backup target's bucket, reached as backupstore reaches it (longhorn/backupstore: s3/s3_service.go)."""

    def __init__(self, url: str, credentials: Mapping[str, str]) -> None:
        place = urlsplit(url)
        self._name = place.username or str(place.hostname)
        self._base = place.path.strip("/") + "/" if place.path.strip("/") else ""
        self._endpoint = credentials.get("AWS_ENDPOINTS", "")
        self._s3 = _client(self._endpoint, credentials["AWS_ACCESS_KEY_ID"], credentials["AWS_SECRET_ACCESS_KEY"])

    def folders(self, prefix: str) -> list[str]:
        """The names of the folders in a folder, which ends with a slash."""
        answer = self._list(prefix, Delimiter="/")
        return [one["Prefix"].rstrip("/").rpartition("/")[2] for one in answer.get("CommonPrefixes", [])]

    def files(self, prefix: str) -> list[str]:
        """All files below, by their whole keys."""
        return [one["Key"].removeprefix(self._base) for one in self._list(prefix).get("Contents", [])]

    def _list(self, prefix: str, **more: str) -> Any:
        what = f"failed to list objects with param: &{{Bucket:{self._name} Prefix:{self._base}{prefix}}}"
        path = f"{self._name}?delimiter=%2F&list-type=2&prefix={prefix.replace('/', '%2F')}"
        ask = self._s3.list_objects_v2
        return self._do(lambda: ask(Bucket=self._name, Prefix=self._base + prefix, **more), what, "Get", path)

    def get(self, key: str) -> bytes | None:
        """What a file holds; None where there is none."""
        ask = self._s3.get_object

        def read() -> bytes | None:
            try:
                return bytes(ask(Bucket=self._name, Key=self._base + key)["Body"].read())
            except self._s3.exceptions.ClientError as error:
                if error.response["Error"]["Code"] in _MISSING:
                    return None
                raise

        found: bytes | None = self._do(read, f"failed to get object: {key}", "Get", f"{self._name}/{key}?x-id=GetObject")
        return found

    def put(self, key: str, content: bytes) -> None:
        """Write a file."""
        ask, path = self._s3.put_object, f"{self._name}/{key}?x-id=PutObject"
        self._do(lambda: ask(Bucket=self._name, Key=self._base + key, Body=content), f"failed to put object: {key}", "Put", path)

    def remove(self, key: str) -> None:
        """Remove a file."""
        ask = self._s3.delete_object
        path = f"{self._name}/{key}?x-id=DeleteObject"
        self._do(lambda: ask(Bucket=self._name, Key=self._base + key), f"failed to delete object: {key}", "Delete", path)

    def _do(self, act: Callable[[], Any], what: str, method: str, path: str) -> Any:
        errors = importlib.import_module("botocore.exceptions")
        try:
            return act()
        except errors.ClientError as error:
            said = error.response["Error"]
            raise StoreError(f"{what} error: AWS Error: {said['Code']} {said['Message']}") from error
        except errors.BotoCoreError as error:
            place = urlsplit(self._endpoint).netloc
            sent = f'request send failed, {method} "{self._endpoint}/{path}": dial tcp {place}: connect: connection refused'
            raise StoreError(f"{what} error: AWS HTTP Error: 0 {sent}") from error


@lru_cache
def _client(endpoint: str, key: str, secret: str, service: str = "s3") -> Any:
    boto3, config = importlib.import_module("boto3.session"), importlib.import_module("botocore.config")
    return boto3.Session().client(
        service,
        endpoint_url=endpoint or None,
        aws_access_key_id=key,
        aws_secret_access_key=secret,
        region_name=REGION,
        config=config.Config(
            retries={"total_max_attempts": 1},
            s3={"addressing_style": "path"},
            connect_timeout=3,
            read_timeout=20,
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
        ),
    )
