"""Another source's contact over the API: shown with its source, disposed of without the LCM."""

from typing import Any


async def test_it_is_disposed_of_without_the_lcm(site: Any) -> None:
    """Its lists are empty though no LCM is there to ask, and a disposition of an id of its own closes it."""
    async with site() as here:
        attempt = await here.offered("a", source="acme-leads")
        path = f"/v1/attempts/{attempt.id}"
        lists = await here.get(f"{path}/outcomes")
        checks = (await here.get(f"{path}/explanation"))[1]["checks"]
        disposed = await here.ask("POST", f"{path}/disposition", {"outcome_id": "sold"})
        status, told = await here.get(path)
    (expiry,) = [one for one in checks if one["rule"] == "expiry"]
    assert expiry["reason"] == "acme-leads states none"
    assert lists == (200, {"telephony": [], "business": []})
    assert (disposed[0], disposed[1]["contact"]["source"]) == (200, "acme-leads")
    assert (status, told["state"], told["messages"]) == (200, "closed", [])
    assert told["disposition"]["outcome_id"] == "sold"
