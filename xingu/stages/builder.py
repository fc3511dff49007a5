"""Make a DataProvider as it was after an earlier hook."""

from collections.abc import Callable
from dataclasses import dataclass

from xingu.dataprovider import DataProvider
from xingu.hooks import ProviderFactory
from xingu.model import Model, PreReqModels
from xingu.state import ProviderState


@dataclass(frozen=True, slots=True)
class ProviderBuilder:
    """How to make a DataProvider, and where the Models of its prerequisites come from."""

    make: ProviderFactory
    load_pre_req: Callable[[str, str], Model]

    def build(self, state: ProviderState) -> DataProvider:
        """Return a new DataProvider that knows what `state` holds."""
        provider = self.make()
        state.restore(provider)
        provider.pre_req_model = PreReqModels(state.pre_reqs, self.load_pre_req)
        return provider
