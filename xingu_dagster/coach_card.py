"""Text and notebook card of a Coach. Nothing is read: only what is in memory."""

from collections.abc import Iterator

from xingu import cards
from xingu.api import Model
from xingu.model.card import main_score
from xingu.provider.base import DataProvider
from xingu.provider.class_source import owner_of
from xingu.provider.discovery import DataProviderFactory
from xingu.texts import counted


class ShownCoach:
    """The representations of a Coach."""

    dp_factory: DataProviderFactory
    trained: dict[str, Model]

    def __repr__(self) -> str:
        held = f"; Models in memory: {', '.join(self.trained)}" if self.trained else ""
        return f"<Coach of {', '.join(self.dp_factory) or 'no DataProvider'}{held}>"

    def _repr_html_(self) -> str:
        """Return a card for notebooks."""
        title = counted(len(self.dp_factory), "DataProvider")
        held = f"{counted(len(self.trained), 'Model')} in memory"
        return cards.card("Coach", title, held, self._card_parts())

    def _card_parts(self) -> Iterator[str]:
        heads = ["DataProvider", "needs", "batch", "Model in memory", "trained", "score"]
        ids = dict.fromkeys([*self.dp_factory, *self.trained])
        yield cards.table(heads, map(self._row, ids))
        broken = {name: str(error) for name, error in self.dp_factory.broken.items()}
        yield cards.folded(f"{len(broken)} broken", cards.facts(broken))

    def _row(self, dp_id: str) -> list[str]:
        cls, model = self.dp_factory.known.get(dp_id), self.trained.get(dp_id)
        needs = ", ".join(sorted(cls.pre_req)) if cls else ""
        row = [dp_id, needs, "yes" if cls and _has_batch(cls) else ""]
        if model is None:
            return [*row, "", "", ""]
        trained = cards.minute(model.trained) if model.trained else ""
        return [*row, model.get_full_train_id(), trained, main_score(model.scores)]


def _has_batch(cls: type[DataProvider]) -> bool:
    """Return whether a DataProvider declares sources of a batch, or overrides their hook."""
    hook = "get_dataset_sources_for_batch_predict"
    return bool(cls.batch_predict_dataset_sources) or owner_of(cls, hook) is not DataProvider
