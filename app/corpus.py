"""The one way to the data: a dataset and the name of a source -> what a search reads.

The dashboard, the API, downloads and the command line all open sources here, so that they share one
cache key, one check whether a source is ready, and one place where access is checked.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from app.execution.local import MOST_BYTES, states_of
from app.matching import States
from app.work.preparation import Preparations
from loaders import Catalog, Dataset, Entry, Source
from loaders.catalog import unknown_dataset


@dataclass(frozen=True, slots=True)
class Client:
    """The client that asks.

    Attributes
    ----------
    page
        The name under which it waits for a source that is being prepared; while it waits, another
        client's cancel does not end the preparation. None: it does not wait.
    """

    page: str | None = None


#: A client of which nothing is known.
ANYONE = Client()

Allowed = Callable[[Client, str], bool]
"""Whether a client may see the dataset of an id."""


def everything(client: Client, dataset_id: str) -> bool:
    """Allow every client every dataset: there are no accounts yet."""
    return True


@dataclass(frozen=True, slots=True, eq=False)
class Opened:
    """A source that is open.

    Attributes
    ----------
    dataset, source
        As the loaders have them.
    states
        What a search reads of the source.
    key
        Names those values and sequences in every cache (`MatchService`).
    """

    dataset: Dataset
    source: Source
    states: States
    key: str


@dataclass(frozen=True, slots=True, eq=False)
class BeingPrepared:
    """A source that cannot be opened yet: its prepared copy is being built."""

    dataset: Dataset
    source: str


def opened(dataset: Dataset, source: str, bits_on_disk: int = MOST_BYTES) -> Opened:
    """Open a source, and first build its prepared copy if there is none, which may take long.

    Parameters
    ----------
    dataset
        An open dataset.
    source
        The name of the source.
    bits_on_disk
        The setting of that name.

    Raises
    ------
    DatasetError
        No such source, or it cannot be opened.
    """
    found = dataset.open_source(source)
    states = states_of(dataset, found, bits_on_disk)
    return Opened(dataset, found, states, f"{dataset.fingerprint}:{found.key}")


class Corpus:
    """The datasets that clients may open. Thread-safe.

    Parameters
    ----------
    catalog
        The datasets.
    preparations
        Builds copies that are missing, in the background. None: `open` builds them, and returns when
        they are built.
    bits_on_disk
        The setting of that name.
    allowed
        Whether a client may see a dataset. THIS IS WHERE ACCESS IS CHECKED: `entries` and `dataset`
        ask it, and there is no other way to a dataset.
    """

    def __init__(
        self,
        catalog: Catalog,
        preparations: Preparations | None = None,
        bits_on_disk: int = MOST_BYTES,
        allowed: Allowed = everything,
    ) -> None:
        self._catalog = catalog
        self._preparations = preparations
        self._bits_on_disk = bits_on_disk
        self._allowed = allowed

    def entries(self, client: Client = ANYONE) -> tuple[Entry, ...]:
        """Return the datasets that a client may see, those that cannot be opened included."""
        return tuple(one for one in self._catalog.entries() if self._allowed(client, one.id))

    def dataset(self, dataset_id: str, client: Client = ANYONE) -> Dataset:
        """Return the dataset of an id.

        Raises
        ------
        DatasetError
            It cannot be opened; or there is no such id among those that the client may see, which
            the error names.
        """
        if dataset_id not in self._catalog or not self._allowed(client, dataset_id):
            ids = [one for one in self._catalog.ids() if self._allowed(client, one)]
            raise unknown_dataset(dataset_id, ids)
        return self._catalog.get(dataset_id)

    def open(
        self, dataset: str | Dataset, source: str, client: Client = ANYONE
    ) -> Opened | BeingPrepared:
        """Open a source if it is ready; if not, its preparation is under way when this returns.

        Parameters
        ----------
        dataset
            Its id, or what `dataset` returned for the same client.
        source
            The name of the source.
        client
            The client that asks.

        Raises
        ------
        DatasetError
            As `dataset` does; or there is no such source, or it cannot be opened.
        """
        if isinstance(dataset, str):
            dataset = self.dataset(dataset, client)
        ready = self._preparations is None or self._preparations.ready(dataset, source, client.page)
        if not ready:
            return BeingPrepared(dataset, source)
        return opened(dataset, source, self._bits_on_disk)
