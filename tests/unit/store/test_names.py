"""A name that there is not is answered with those that there are."""

from ndgm.store.names import meant


def test_names_that_may_have_been_meant() -> None:
    """Three at most, and all where none is near."""
    assert meant("adm", ["adam", "sign"]) == "did you mean adam?"
    assert meant("adm", ["sign", "ista"]) == "there are sign, ista"
    assert meant("name_0", [f"name_{number}" for number in range(1, 9)]).count(" or ") == 2
