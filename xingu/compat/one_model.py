"""A builder for stages that work on the objects of the caller."""

from dataclasses import dataclass

from xingu.model import Model
from xingu.model.provenance import Provenance
from xingu.provider.base import DataProvider
from xingu.provider.estimator import Estimator
from xingu.provider.state import ProviderState
from xingu.records import TrainRun
from xingu.stages.builder import ProviderBuilder


@dataclass(frozen=True, slots=True)
class OneModelBuilder(ProviderBuilder):
    """Gives every stage the same DataProvider and the same Model.

    Attributes:
        one: The Model.
    """

    one: Model = None  # type: ignore[assignment]

    def build(self, state: ProviderState) -> DataProvider:  # noqa: ARG002 - it has them already
        """Return the DataProvider, with the attributes that its hooks have set."""
        return self.one.dp

    def model(
        self,
        provider: DataProvider,  # noqa: ARG002
        estimator: Estimator | None,
        run: TrainRun,
        provenance: Provenance | None = None,
    ) -> Model:
        """Return the Model, with this Estimator and these ids."""
        self.one.estimator, self.one.run = estimator, run
        self.one.provenance = provenance or self.one.provenance
        return self.one
