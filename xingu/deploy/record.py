"""Record of a planned deploy, which can be stored as a file and applied later."""

from collections.abc import Iterator
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from xingu.deploy.difference import Difference
from xingu.errors import ApprovalMissingError, DeployRefusedError
from xingu.records import TrainRun

Action = Literal["deploy", "rollback", "rows", "nothing"]
"""``rows``: only the rows of the control DB are missing; ``nothing``: all is there already."""
Kind = Literal["verdict", "check", "gate", "git", "package", "approval", "target"]


class Refusal(BaseModel):
    """One reason why a train is not deployed."""

    model_config = ConfigDict(frozen=True)

    kind: Kind
    text: str


class Plan(BaseModel):
    """A deploy of one train to one target.

    Attributes:
        version: Version of the document.
        target: Name of the target.
        source: Where the train comes from: a target, ``project``, or ``source`` of a pull.
        action: What is to be done.
        dataprovider_id: Id of the DataProvider.
        train_id: The train.
        train_session_id: Its session.
        trained: Time of the fit (ISO 8601).
        user: User who trained.
        commit: Git commit that it ran on.
        dirty: Whether there were uncommitted changes.
        package: SHA-256 of the manifest of its package.
        signer: The key that has signed the package; None: the target asks for no signature.
        files: Number of files of the package.
        bytes: Their size.
        with_rows: Whether the target shall have the rows of the control DB.
        rows: Rows of the control DB that are copied, by table; None: none are copied.
        gates: Figures of its quality gates by name, with what is required.
        approvals: Users whose approvals count.
        approvals_needed: Number of approvals that the target needs.
        replaces: The train that the target serves now.
        difference: By how much it differs from that train on its golden rows; None: not known.
        refusals: Why it is not deployed.
        fence: Number of the entry of the target's ledger that made `replaces` current; 0: none.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: Literal[1] = 1
    target: str
    source: str
    action: Action
    dataprovider_id: str
    train_id: str
    train_session_id: str
    trained: str | None
    user: str | None
    commit: str | None
    dirty: bool | None
    package: str
    signer: str | None
    files: int
    bytes: int
    with_rows: bool
    rows: dict[str, int] | None
    gates: dict[str, str]
    approvals: tuple[str, ...]
    approvals_needed: int
    replaces: str | None
    difference: Difference | None
    refusals: tuple[Refusal, ...]
    fence: int

    @property
    def run(self) -> TrainRun:
        """The ids of the train."""
        return TrainRun(self.dataprovider_id, self.train_id, self.train_session_id, "")

    def check(self) -> None:
        """Refuse a plan that has refusals.

        Raises:
            ApprovalMissingError: If nothing but approvals is missing.
            DeployRefusedError: If there are other reasons; the text has all of them.
        """
        if not self.refusals:
            return
        only_approvals = all(one.kind == "approval" for one in self.refusals)
        error = ApprovalMissingError if only_approvals else DeployRefusedError
        texts = " ".join(one.text for one in self.refusals)
        raise error(
            f"{self.dataprovider_id} {self.train_id} is not deployed to {self.target}: {texts}",
            dataprovider_id=self.dataprovider_id,
            train_id=self.train_id,
            target=self.target,
        )

    def changes_since(self, earlier: "Plan") -> Iterator[str]:
        """Yield what differs from an earlier plan of the same deploy; approvals may differ."""
        free = {"approvals", "refusals", "difference"}
        then, now = earlier.model_dump(exclude=free), self.model_dump(exclude=free)
        for name, value in now.items():
            if value != then[name]:
                yield f"{NAMES.get(name, name)}: {_shown(then[name])} → {_shown(value)}"
        known = {one.text for one in earlier.refusals}
        for one in self.refusals:
            if one.text not in known and one.kind != "approval":
                yield one.text


NAMES = {"fence": "newest entry of the ledger", "package": "SHA-256 of the package"}
"""Names of fields for people, where they differ."""


def _shown(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name} {one}" for name, one in value.items() if one != 0) or "none"
    return "none" if value is None else str(value)
