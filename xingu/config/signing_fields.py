"""Settings of signatures of model packages.

A key is given as the path of a PEM file or as its text, which a placeholder can fetch. Texts of
private keys are secrets; paths are not, so that errors can name them.
"""

from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, SecretStr

from xingu.config.declare import setting
from xingu.options import Names


def _hide_text(value: Any) -> Any:
    """Return the text of a key as a secret; a path as it is."""
    if isinstance(value, str) and value.lstrip().startswith("-----BEGIN"):
        return SecretStr(value)
    return value


KeyOrPath = Annotated[str | SecretStr, BeforeValidator(_hide_text)]


class SigningFields(BaseModel):
    """Signatures."""

    signing_key: KeyOrPath | None = setting(
        None,
        "SIGNING_KEY",
        "Private key (EC, PEM) that signs packages when they are saved: its path, or a placeholder "
        "for its text; empty: packages are not signed. Needs the extra signing.",
    )
    signing_key_password: SecretStr | None = setting(
        None, "SIGNING_KEY_PASSWORD", "Password of the private key, if it is encrypted."
    )
    trusted_keys: Names = setting(
        (),
        "XINGU_TRUSTED_KEYS",
        "Files of public keys, separated by commas: a package is loaded only if one of them has "
        "signed it; empty: signatures are not verified. Needs the extra signing.",
    )
