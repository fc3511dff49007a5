"""Create DataProviders with the state after an earlier hook, and their Models."""

from collections.abc import Callable
from dataclasses import dataclass

from xingu.checks.check import Checks
from xingu.model import Model, PreReqModels
from xingu.model.provenance import Provenance
from xingu.provider.base import DataProvider
from xingu.provider.estimator import Estimator
from xingu.provider.hooks import ProviderFactory
from xingu.provider.state import ProviderState
from xingu.records import TrainRun


@dataclass(frozen=True, slots=True)
class ProviderBuilder:
    """Creates DataProviders and Models.

    Attributes:
        make: Returns a new DataProvider.
        load_pre_req: Returns the Model of a prerequisite, by id and `train_id`.
        model_class: Class of the Models.
        checks: Checks that may refuse values, by name; None: as the DataProvider configures them.
    """

    make: ProviderFactory
    load_pre_req: Callable[[str, str], Model]
    model_class: type[Model] = Model
    checks: Checks | None = None

    def build(self, state: ProviderState) -> DataProvider:
        """Return a new DataProvider with the attributes of `state`."""
        provider = self.make()
        state.restore(provider)
        provider.pre_req_model = PreReqModels(state.pre_reqs, self.load_pre_req)
        return provider

    def model(
        self,
        provider: DataProvider,
        estimator: Estimator | None,
        run: TrainRun,
        provenance: Provenance | None = None,
    ) -> Model:
        """Return a new Model of `provider`."""
        return self.model_class.of(provider, estimator, run, provenance)
