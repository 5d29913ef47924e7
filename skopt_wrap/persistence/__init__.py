"""Save fitted estimators to one file that runs no code when it is opened, and load them again."""

from ._card import CardSection, ModelCard
from ._load import load
from ._model_card import model_card
from ._save import save
from ._summary import FileSummary, inspect

__all__ = ["CardSection", "FileSummary", "ModelCard", "inspect", "load", "model_card", "save"]
