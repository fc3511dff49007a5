"""Verify the signatures of a package, before anything in it is unpickled."""

from collections.abc import Iterator

from upath import UPath

from xingu.deploy.route import Route


def signer_of(package: UPath, route: Route) -> str | None:
    """Return the key that has signed a package; None: the target asks for no signature.

    Args:
        package: Folder or URL of the package.
        route: The way to the target, which lists the keys.

    Raises:
        SignatureError: If none of the keys has signed it.
        SettingsError: If a key cannot be read.
        MissingExtraError: If the extra `signing` is not installed.
    """
    if not route.rules.trusted_keys:
        return None
    from xingu.registry.signing import trusted_keys, verify_signature

    return verify_signature(package, trusted_keys(route.rules.trusted_keys, route.target.home))


def signed_refusals(package: UPath, route: Route) -> Iterator[str]:
    """Yield the blocking checks that a package has failed, if its verdict is signed.

    Raises:
        SignatureError: If the verdict is not signed by one of the keys.
    """
    if not route.rules.trusted_keys:
        return
    from xingu.registry.signing import trusted_keys, verify_verdict

    keys = trusted_keys(route.rules.trusted_keys, route.target.home)
    verdict = verify_verdict(package, keys)
    if verdict is not None and not verdict.accepted:
        yield f"its signed verdict says that it failed {', '.join(verdict.failed)}."
