"""The connections to the PostgreSQL of the releases notice a server that vanished, as those of the store do."""

from service.coding.releases.postgres import connect
from service.domain.vanished import VANISHED
from tests.unit.coding.releases.test_postgres_shelf import url

__all__ = ["url"]


def told(address: str) -> dict[str, str]:
    """What libpq was told about a connection."""
    with connect(address) as made:
        return {name: value for name, value in made.info.get_parameters().items() if name in VANISHED}


def test_a_server_that_acknowledges_nothing_is_given_up_by_the_system(url: str) -> None:
    assert told(url) == VANISHED


def test_when_it_counts_as_vanished_may_be_said_in_the_address(url: str) -> None:
    more = "&" if "?" in url else "?"
    assert told(f"{url}{more}tcp_user_timeout=60000") == {**VANISHED, "tcp_user_timeout": "60000"}
