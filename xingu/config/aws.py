"""Read values from AWS: Systems Manager's Parameter Store and Secrets Manager.

Region, credentials and endpoint are those of boto3 (`AWS_DEFAULT_REGION`, profiles, roles,
`AWS_ENDPOINT_URL`, …). A process reads each value once. All of them are secrets for the masker.
"""

import json
from functools import cache
from typing import TYPE_CHECKING, Any

from xingu.errors import SettingsError
from xingu.extras import needs
from xingu.masking import remember_secrets, secret_values, secrets_of

if TYPE_CHECKING:
    from boto3 import Session

PARAMETER, SECRET = "AWS_PARAM:", "AWS_SECRET:"
SECONDS = 5
"""Time limit of a connection, so that a firewall does not stop a command for minutes."""


@cache
def parameter(name: str) -> str:
    """Return a parameter of the Parameter Store, decrypted.

    Args:
        name: Its name, such as ``/prod/db/url``; ``name:3`` is a version, ``name:label`` a label.

    Raises:
        SettingsError: If it cannot be read.
    """
    answer = _call("ssm", "get_parameter", Name=name, WithDecryption=True)
    return _remembered(answer["Parameter"]["Value"])


def secret(name: str) -> str:
    """Return a secret of the Secrets Manager.

    Args:
        name: Its name or ARN; ``name#key`` is the value of a key in a secret that is a JSON object.

    Raises:
        SettingsError: If it cannot be read, is binary or has no such key.
    """
    name, mark, key = name.partition("#")
    text = _secret_text(name)
    content = _json_object(text)
    if content is not None:
        remember_secrets(secret_values(content))
    if not mark:
        return text
    if content is None:
        raise SettingsError(f"the secret {name!r} is no JSON object, so it has no key {key!r}.")
    if key not in content:
        raise SettingsError(f"the secret {name!r} has no key {key!r}.")
    value = content[key]
    return _remembered(value if isinstance(value, str) else json.dumps(value))


@cache
def _secret_text(name: str) -> str:
    text = _call("secretsmanager", "get_secret_value", SecretId=name).get("SecretString")
    if text is None:
        raise SettingsError(f"the secret {name!r} is binary; store it as text.")
    return _remembered(text)


def forget() -> None:
    """Let this process read all values anew."""
    parameter.cache_clear()
    _secret_text.cache_clear()
    _session.cache_clear()


@cache
def _session() -> "Session":
    import boto3

    return boto3.Session()


def _json_object(text: str) -> dict[str, Any] | None:
    try:
        content = json.loads(text)
    except ValueError:
        return None
    return content if isinstance(content, dict) else None


def _remembered(text: str) -> str:
    remember_secrets({text} | (secrets_of(text) if "://" in text else set()))
    return text


def _call(service: str, method: str, **arguments: Any) -> Any:
    """Call a method of an AWS service; an error says which call failed and what to do."""
    needs("aws", "boto3")
    from botocore.config import Config
    from botocore.exceptions import BotoCoreError, ClientError

    action = f"{service}:{''.join(map(str.capitalize, method.split('_')))}"
    limits = Config(connect_timeout=SECONDS, read_timeout=2 * SECONDS, retries={"max_attempts": 2})
    try:
        client: Any = _session().client(service, config=limits)  # type: ignore[call-overload]
        return getattr(client, method)(**arguments)
    except ClientError as error:
        answer = error.response.get("Error", {})
        text = f"AWS answered {answer.get('Code')}: {answer.get('Message')}"
        raise SettingsError(f"{_advice(text, action)} {text}") from error
    except BotoCoreError as error:
        raise SettingsError(
            f"{action} could not be called ({error}); check AWS_DEFAULT_REGION, the credentials "
            "of this process and its way to AWS."
        ) from error


def _advice(answer: str, action: str) -> str:
    if "NotFound" in answer:
        return "AWS has no such parameter or secret; check its name, the region and the account."
    if "AccessDenied" in answer:
        return f"access is denied; allow {action} (and kms:Decrypt for what is encrypted) to the "\
               "credentials of this process."  # fmt: skip
    return f"{action} failed; check the credentials and the region of this process."
