"""Composition root: create stores, databases and folders from settings.

Each entry point (the Dagster project, the `xingu` command, `Coach`, methods of `xingu.Model`)
creates one Workspace; all other code receives values from it. Stores and databases are opened, and
their libraries imported, on first use.
"""

import logging
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from upath import UPath

from xingu.config import Settings
from xingu.config.effective import default_options, effective_settings
from xingu.config.kinds import text_of
from xingu.errors import SettingsError, StorageError, XinguError
from xingu.files.remote import with_retries
from xingu.options import InForce
from xingu.records import DeployRules, PictureFormat
from xingu.registry.pins import pinned_trains
from xingu.registry.store import ModelStore

if TYPE_CHECKING:
    from xingu.alerts import Alerts
    from xingu.model import Model
    from xingu.model.provenance import Provenance
    from xingu.registry.signing import Keys
    from xingu.sources import Databases, Limits, SourceCache
    from xingu.tracking.database import ControlDB
    from xingu.values import ValueStore

logger = logging.getLogger(__name__)

PREFIXED = ("models", "plots")
"""Settings of folders that have a folder for each key prefix."""


class Workspace:
    """Stores, databases and folders of one project.

    Args:
        settings: The settings of the project.
        model_class: Class of the Models that are fitted and loaded.
        connections: Databases that are given as engines or functions, by nickname.

    Attributes:
        options: Options of a run that gives none.
        source_workers: Number of groups of sources that are read at the same time; 0 means the
            number of cores.
        train_wait_seconds: How long a run waits while another one trains the same DataProvider.
        lease_seconds: Time after which a run of which nothing was heard can be replaced.
        hyperopt_workers: Number of concurrent trials of a search; 0 means the number of cores.
        picture_formats: Formats of pictures that are saved beside the page of a plot.
        home: Folder of the project, absolute.
        plots: Folder or URL of the plots.
        notebooks: Local folder of the notebooks that show plots in the UI, and of plotly.js. The
            code server shows notebooks in its working folder only.
        cache_folder: Folder or URL of the source cache; None disables the cache.
        inventory: Folder of the inventory file, which pins trains; None: no file does.
        chains: Names of the targets, in the order in which models pass through them.
    """

    def __init__(
        self,
        settings: Settings,
        model_class: "type[Model] | None" = None,
        connections: Mapping[str, Any] | None = None,
    ) -> None:
        self._settings = settings
        self._connections = connections
        self._parts: dict[tuple[str, ...], Workspace] = {}
        self.options = default_options(settings)
        self.source_workers = settings.datasource_workers
        self.hyperopt_workers = settings.hyperopt_workers
        self.train_wait_seconds = settings.train_wait_seconds
        self.lease_seconds = settings.lease_seconds
        self.picture_formats: tuple[PictureFormat, ...] = tuple(
            name for name in settings.plots_format if name != "html"
        )
        self._model_class = model_class
        self.home = settings.project_home.resolve()
        self.plots = _root(settings, settings.plots)
        self.notebooks = self.home / ".xingu" / "plots"
        cache = settings.datasource_cache
        self.inventory: Path | None = self.home
        self.chains = settings.deploy_targets
        self._whole = self
        self._prefix: tuple[str, ...] = ()
        self.cache_folder = _root(settings, cache) if cache else None

    def below(self, prefix: tuple[str, ...]) -> "Workspace":
        """Return the workspace of assets with a key prefix; without one, this workspace.

        Its models, plots and pins are in a folder of that name, and its tables have the prefix.
        Values need neither, because they are stored by key.
        """
        if not prefix:
            return self
        if prefix not in self._parts:
            below = {name: "/".join((getattr(self._settings, name), *prefix)) for name in PREFIXED}
            tables = "_".join((self._settings.table_prefix + prefix[0], *prefix[1:], ""))
            settings = self._settings.model_copy(update={**below, "table_prefix": tables})
            part = Workspace(settings, self._model_class, self._connections)
            part.notebooks = self.notebooks.joinpath(*prefix)
            part.inventory = self.inventory and self.home.joinpath(*prefix)
            part._whole, part._prefix = self, prefix
            self._parts[prefix] = part
        return self._parts[prefix]

    def target(self, name: str) -> "Workspace":
        """Return the workspace of a target, whose model storage and control DB are its own.

        Raises:
            SettingsError: If there is no such target, or it has no storage of its own.
        """
        settings = self._whole._settings.target(name)
        target = Workspace(settings, self._model_class)
        target.inventory = None
        return target.below(self._prefix)

    @property
    def rules(self) -> DeployRules:
        """The conditions of a deploy to this workspace."""
        known = self._settings
        return DeployRules(
            approvals=known.deploy_approvals,
            approvers=known.deploy_approvers,
            approval_days=known.deploy_approval_days,
            trusted_keys=known.deploy_trusted_keys,
            clean_git=known.deploy_require_clean_git,
        )

    @property
    def has_control(self) -> bool:
        """Whether there is a control DB; a target may have none."""
        return bool(self._settings.control_db.get_secret_value())

    @property
    def model_class(self) -> "type[Model]":
        """Class of the Models that are fitted and loaded."""
        from xingu.model import Model

        return self._model_class or Model

    @cached_property
    def values(self) -> "ValueStore":
        """Store of the values of assets."""
        from xingu.values import ValueStore

        with _named("XINGU_VALUES_PATH"):
            place = self._settings.place(self._settings.values)
            return ValueStore(place, self._settings.keep_values)

    @cached_property
    def models(self) -> ModelStore:
        """Store of the model packages, with the pins of the project's inventory file.

        Raises:
            SettingsError: If the inventory file or a key cannot be read, or the path is below a
                file.
        """
        pins = pinned_trains(self.inventory) if self.inventory else {}
        keys = self.keys
        with _named("TRAINED_MODELS_PATH"):
            place, verify = (
                self._settings.place(self._settings.models),
                self._settings.verify_packages,
            )
            return ModelStore(place, pins, self._model_class, verify=verify, keys=keys)

    @cached_property
    def keys(self) -> "Keys | None":
        """Keys that sign and verify packages; None: neither is set.

        Raises:
            SettingsError: If a key cannot be read.
        """
        known = self._settings
        if known.signing_key is None and not known.trusted_keys:
            return None
        from xingu.registry.signing import Keys, signing_key, trusted_keys

        signing, trusted = None, ()
        if known.signing_key is not None:
            password = text_of(known.signing_key_password) or None
            with _named("SIGNING_KEY"):
                signing = signing_key(text_of(known.signing_key), password, self.home)
        if known.trusted_keys:
            with _named("XINGU_TRUSTED_KEYS"):
                trusted = trusted_keys(known.trusted_keys, self.home)
        return Keys(signing, trusted)

    @cached_property
    def databases(self) -> "Databases":
        """Databases by nickname; ``xingu`` is the control DB."""
        from xingu.sources import Databases

        urls = self._settings.source_databases()
        return Databases(urls, self.home, given=self._connections)

    @cached_property
    def control(self) -> "ControlDB":
        """Control DB of the project."""
        from xingu.tracking.database import ControlDB

        return ControlDB(self.databases, self._settings.table_prefix)

    @cached_property
    def alerts(self) -> "Alerts":
        """Channels of alerts.

        Raises:
            AlertError: If an address of Apprise cannot be used.
            MissingExtraError: If there are such addresses and Apprise is not installed.
        """
        from xingu.alerts import Alerts
        from xingu.alerts.channels import channels_of

        known = self._settings
        urls = [one.get_secret_value() for one in known.alert_urls]
        return Alerts(
            channels_of(known.alert_webhook.get_secret_value(), urls),
            known.alert_kinds,
            known.alert_link_base,
            known.alert_seconds,
            known.alert_on_command,
        )

    @property
    def usable_alerts(self) -> "Alerts":
        """Channels of alerts; none, and a warning in the log, if an address cannot be used."""
        from xingu.alerts import Alerts

        try:
            return self.alerts
        except XinguError as error:
            logger.warning("No alerts are sent: %s", error)
            return Alerts()

    @property
    def observe_limits(self) -> "Limits":
        """Time limits of observations of sources."""
        from xingu.sources import Limits

        return Limits(self._settings.observe_seconds, self._settings.observe_round_seconds)

    @property
    def provenance(self) -> "Provenance":
        """Provenance of what is trained now."""
        from xingu.model.provenance import read_provenance

        known = self._settings
        names = ("github_actor", "github_workflow", "github_run_id", "github_run_number")
        ci = tuple((name, value) for name in names if (value := getattr(known, name)))
        return read_provenance(self.home, known.user_name, known.host_name, ci)

    @property
    def user(self) -> tuple[str, str]:
        """Names of the user and of the machine; empty where unknown. git is not read."""
        from xingu.model.provenance import process_user

        known = self._settings
        return known.user_name or process_user() or "", known.host_name or socket.gethostname()

    @property
    def plot_folders(self) -> tuple[UPath, UPath]:
        """Folders or URLs of plots and of their notebooks."""
        return self.plots, UPath(self.notebooks)

    def effective_settings(self, used: Mapping[str, Mapping[str, Any]]) -> InForce:
        """Return the settings in force without secrets; see `xingu.config.effective`."""
        return effective_settings(self._settings, used)

    def cache(self, *, refresh: bool = False) -> "SourceCache":
        """Return the source cache; with `refresh`, cached sources are read again."""
        from xingu.sources import SourceCache

        return SourceCache(self.cache_folder, refresh)


def _root(settings: Settings, path: str) -> UPath:
    """Return a folder of the settings; requests to S3 are repeated."""
    place = settings.place(path)
    options = with_retries(place.protocol, place.storage_options)
    return UPath(str(place), **options) if options != place.storage_options else place


@contextmanager
def _named(setting: str) -> Iterator[None]:
    """Name the setting in errors of a path.

    Raises:
        SettingsError: If the path cannot be used.
    """
    try:
        yield
    except (SettingsError, StorageError) as error:
        raise SettingsError(f"{setting}: {error}") from error
