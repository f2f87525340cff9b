"""The notifier on the local emulator of `aws_local.py`: its binary, its configuration and its secrets."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Callable

NOTIFIER = "Notifier"  # logical id in template.yaml
BUCKET, KEY = "organisation-files", "trailhound.yaml"

Client = Callable[[str], Any]


def stage(template: dict[str, Any], code: Path, variables: dict[str, str]) -> None:
    """Gives the template's notifier this code, made already. SAM packs the code of every function, whether it is deployed or not."""
    function = template["Resources"][NOTIFIER]
    function.pop("Metadata", None)
    function["Properties"]["CodeUri"] = str(code)
    function["Properties"]["Environment"]["Variables"].update(variables)


def parameters(client: Client, config: Path, region: str) -> dict[str, str]:
    """Puts the configuration where the template's parameters then say it is."""
    s3 = client("s3")
    s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": region})
    s3.put_object(Bucket=BUCKET, Key=KEY, Body=config.read_bytes())
    return {"Channels": "true", "ConfigUri": f"s3://{BUCKET}/{KEY}"}


def keep_secret(client: Client, name: str, value: str) -> None:
    """Keeps a secret where a reference of the organisation file names it: `ssm:NAME` or `secretsmanager:NAME`."""
    store, _, key = name.partition(":")
    if store == "ssm":
        client("ssm").put_parameter(Name=key, Value=value, Type="SecureString", Overwrite=True)
    elif store == "secretsmanager":
        client("secretsmanager").create_secret(Name=key, SecretString=value)
    else:
        raise ValueError(f"`{name}` is no place for a secret; it takes ssm:NAME or secretsmanager:NAME")
