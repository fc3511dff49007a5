"""EC keys in files, as openssl writes them."""

from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from xingu.registry.signing import Keys, signing_key, trusted_keys


@dataclass(frozen=True)
class KeyFiles:
    """A private key and its public key."""

    private: Path
    public: Path

    def keys(self, *trusted: "KeyFiles") -> Keys:
        """Keys that sign with this one, and trust it or the given ones."""
        files = [one.public for one in trusted or (self,)]
        return Keys(signing_key(str(self.private)), trusted_keys(files))


def write_keys(folder: Path, name: str, curve=ec.SECP256R1, password: bytes | None = None):
    """Write ``<name>.pem`` and ``<name>.pub.pem``."""
    key = curve if not isinstance(curve, type) else ec.generate_private_key(curve())
    pem, spki = serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    hidden = (
        serialization.BestAvailableEncryption(password)
        if password
        else serialization.NoEncryption()
    )
    files = KeyFiles(folder / f"{name}.pem", folder / f"{name}.pub.pem")
    files.private.write_bytes(key.private_bytes(pem, serialization.PrivateFormat.PKCS8, hidden))
    files.public.write_bytes(key.public_key().public_bytes(pem, spki))
    return files
