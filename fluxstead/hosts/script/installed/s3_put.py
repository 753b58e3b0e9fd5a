"""Putting one file into a bucket: AWS' signature, version 4, which every store with S3's API takes, by the standard library alone.

curl has it too, and signs what S3 wants only since 7.87, which Ubuntu 22.04 does not have. Nothing here lists or deletes, so the
login need not be allowed to: whoever takes over the server destroys no copy that has left it.
Sources: AWS' documentation, "Signature Version 4 signing process" and "Authenticating Requests: Using the Authorization Header".
"""

from __future__ import annotations

import hashlib
import hmac
import http.client
import json
import os
import re
import ssl
import time
import urllib.parse
from typing import Dict, NamedTuple, Tuple

TRIES, PAUSE_SECONDS, ANSWER_SECONDS = 3, 5, 120
ALGORITHM = "AWS4-HMAC-SHA256"


class NotSentError(Exception):
    """The store did not take the file; the message says why."""


class Bucket(NamedTuple):
    """A bucket, and who asks. `endpoint`: a URL without a path."""

    endpoint: str
    region: str
    bucket: str
    folder: str
    key_id: str
    key: str


def login_of(path: str) -> Tuple[str, str]:
    """The login for the store, as the operator's side handed it over."""
    try:
        with open(path, encoding="utf-8") as file:
            data = json.load(file)
        return str(data["AWS_ACCESS_KEY_ID"]), str(data["AWS_SECRET_ACCESS_KEY"])
    except FileNotFoundError:
        raise NotSentError(f"{path} is not there: `pulumi up` hands the login over") from None
    except (ValueError, KeyError, TypeError):
        raise NotSentError(f"{path} is not what `pulumi up` writes; remove it, and type `pulumi up` again") from None


def put(store: Bucket, path: str) -> str:
    """The file's URL in the bucket, where it has its own name. Raises NotSentError."""
    digest = _digest(path)
    place = "/".join(part for part in (store.bucket, store.folder, os.path.basename(path)) if part)
    target = f"/{urllib.parse.quote(place)}"
    why = ""
    for attempt in range(TRIES):
        time.sleep(PAUSE_SECONDS * attempt)
        try:
            status, said = _put_once(store, path, target, digest)
        except (OSError, http.client.HTTPException) as error:
            why = str(error) or type(error).__name__
            continue
        if status == 200:
            return f"{store.endpoint}{target}"
        why = f"{status} {said}"
        if status < 500:
            break
    raise NotSentError(f"{store.endpoint} does not take {os.path.basename(path)} into {store.bucket}: {why}")


def signed(store: Bucket, method: str, target: str, digest: str, moment: str) -> Dict[str, str]:
    """The headers of a request that is signed for this moment (`%Y%m%dT%H%M%SZ`); `digest`: SHA-256 of what is sent."""
    headers = {"host": urllib.parse.urlsplit(store.endpoint).netloc, "x-amz-content-sha256": digest, "x-amz-date": moment}
    names = ";".join(sorted(headers))
    listed = "".join(f"{name}:{headers[name]}\n" for name in sorted(headers))
    request = f"{method}\n{target}\n\n{listed}\n{names}\n{digest}"
    scope = f"{moment[:8]}/{store.region}/s3/aws4_request"
    text = "\n".join([ALGORITHM, moment, scope, hashlib.sha256(request.encode()).hexdigest()])
    key = f"AWS4{store.key}".encode()
    for part in scope.split("/"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    signature = hmac.new(key, text.encode(), hashlib.sha256).hexdigest()
    headers["authorization"] = f"{ALGORITHM} Credential={store.key_id}/{scope},SignedHeaders={names},Signature={signature}"
    return headers


def _put_once(store: Bucket, path: str, target: str, digest: str) -> Tuple[int, str]:
    url = urllib.parse.urlsplit(store.endpoint)
    host = url.hostname or ""
    connection = (
        http.client.HTTPConnection(host, url.port, timeout=ANSWER_SECONDS)
        if url.scheme == "http"
        else http.client.HTTPSConnection(host, url.port, timeout=ANSWER_SECONDS, context=ssl.create_default_context())
    )
    try:
        moment = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
        headers = {**signed(store, "PUT", target, digest, moment), "content-length": str(os.path.getsize(path))}
        with open(path, "rb") as file:
            connection.request("PUT", target, body=file, headers=headers)
        answer = connection.getresponse()
        return answer.status, _reason(answer.read(65536).decode("utf-8", "replace")) or answer.reason
    finally:
        connection.close()


def _reason(text: str) -> str:
    """What an error of S3's says, without what it repeats of the request."""
    found = [re.search(f"<{tag}>([^<]*)</{tag}>", text) for tag in ("Code", "Message")]
    return ": ".join(one.group(1) for one in found if one)


def _digest(path: str) -> str:
    total = hashlib.sha256()
    with open(path, "rb") as file:
        for piece in iter(lambda: file.read(1 << 20), b""):
            total.update(piece)
    return total.hexdigest()
