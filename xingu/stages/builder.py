"""Make a DataProvider with the state that an earlier hook left, and Models of it."""

from collections.abc import Callable
from dataclasses import dataclass

from xingu.model import Model, PreReqModels
from xingu.provider.base import DataProvider
from xingu.provider.hooks import ProviderFactory
from xingu.provider.state import ProviderState


@dataclass(frozen=True, slots=True)
class ProviderBuilder:
    """Makes DataProviders and Models.

    Attributes:
        make: Returns a new DataProvider.
        load_pre_req: Returns the Model of a prerequisite, by id and `train_id`.
        model_class: Class of the Models.
    """

    make: ProviderFactory
    load_pre_req: Callable[[str, str], Model]
    model_class: type[Model] = Model

    def build(self, state: ProviderState) -> DataProvider:
        """Return a new DataProvider with the attributes of `state`."""
        provider = self.make()
        state.restore(provider)
        provider.pre_req_model = PreReqModels(state.pre_reqs, self.load_pre_req)
        return provider
