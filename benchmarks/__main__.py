"""All of it, in one run: `make bench`.

    python -m benchmarks [DIRECTORY]

Prints a Markdown table, and writes `bench.md`, `bench.json` and `bench.png` (with matplotlib, of
the extra `bench`) to the directory, `build/bench` if none is named. Each comparison's rounds are taken in
turn; medians are shown, with the least and the most.
"""

import asyncio
import json
import logging
import os
import platform
import statistics
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from attrs import asdict, frozen

from benchmarks import calls, dispatch, fetching, herd, hosts, offers, starting, waiting
from benchmarks.lcm_server import lcm_server

with suppress(ImportError):
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt


@frozen(kw_only=True)
class Row:
    """One line of the table.

    Attributes:
        values: of each round, in `unit`.
        at_least, at_most: what is wanted; neither, if it is only printed.
    """

    what: str
    unit: str = ""
    values: Sequence[float]
    at_least: float | None = None
    at_most: float | None = None

    @property
    def median(self) -> float:
        """The middle one."""
        return statistics.median(self.values)

    @property
    def wanted(self) -> str:
        """As people read it."""
        if self.at_least is not None:
            return f"{self.at_least:g} or more"
        return "" if self.at_most is None else f"{self.at_most:g} or less" if self.at_most else "0"

    @property
    def met(self) -> bool | None:
        """Whether it is; None if nothing is wanted."""
        if self.at_least is not None:
            return self.median >= self.at_least
        return None if self.at_most is None else self.median <= self.at_most


def fetches(seconds: float) -> Iterator[Row]:
    """A contact's way, beside a bare request and a hand-made client."""
    least = {("client", 1): 0.85, ("client", 50): 0.8, ("client", 500): 0.8, ("hook", 50): 0.5}
    beside = {1: 1.5, 50: 5.0, 500: 8.0}
    with lcm_server(contacts=100_000_000) as server:
        found = asyncio.run(fetching.measured(server, seconds))
    for way, at_once in [one for one in found if one[0] in {"client", "hook"}]:
        what, bare = f"{way}, {at_once} at once", ratios(found, (way, at_once), ("bare", at_once))
        yield Row(
            what=f"{what}, beside bare aiohttp", unit="x", values=bare, at_least=least.get((way, at_once))
        )
        if way == "hook" and ("httpx", at_once) in found:
            httpx = ratios(found, (way, at_once), ("httpx", at_once))
            what = f"{what}, beside httpx and tenacity"
            yield Row(what=what, unit="x", values=httpx, at_least=beside[at_once])


def dispatches(seconds: float) -> Iterator[Row]:
    """A hook call, beside pluggy's own and `asyncio.gather`."""
    found = asyncio.run(dispatch.measured(seconds))
    for way, count in [one for one in found if one[0] not in {"pluggy", "gather"}]:
        beside, most = ("gather", 1.5) if "async" in way else ("pluggy", 3.0)
        values = ratios(found, (way, count), (beside, count))
        what = f"`Hooks.{way}`, {count} implementations, beside {beside}"
        yield Row(what=what, unit="x", values=values, at_most=most)


def waits(agents: int, seconds: float) -> Iterator[Row]:
    """Many ready agents, and nothing to get."""
    with lcm_server() as server:
        found = asyncio.run(waiting.waited(server, agents, seconds))
    many = f"{agents} wait in {waiting.GROUPS} groups"
    yield Row(what=f"{many}: of a core", unit="%", values=[100 * found.core], at_most=5)
    yield Row(what=f"{many}: fresh questions a second", values=[found.fresh_a_second], at_most=20)
    reserved = round(found.reserved_a_second)
    yield Row(what=f"{many}: reserved questions a second", values=[reserved], at_most=10)
    yield Row(what=f"{many}: log lines", values=[found.log_lines], at_most=0)
    yield Row(what=f"{many}: growth of the ledger", unit="bytes", values=[found.ledger_growth], at_most=0)
    yield Row(what=f"{many}: an agent", unit="KiB", values=[found.agent_bytes / 1024], at_most=8)
    yield Row(what=f"{many}: the host stops in", unit="s", values=[found.stop_seconds], at_most=2)


def herds(agents: int, gone: float) -> Iterator[Row]:
    """An LCM that was gone."""
    with lcm_server() as server:
        found = asyncio.run(herd.recovered(server, agents, gone))
    what = f"LCM gone {gone:g} s, {agents} wait"
    yield Row(what=f"{what}: beside what its cap allows", unit="x", values=[found.ratio], at_most=1.3)
    yield Row(what=f"{what}: dialed twice", values=[found.dialed_twice], at_most=0)
    most = 1.1 * herd.PER_SECOND  # a tenth of a second's may be saved up
    yield Row(what=f"{what}: most questions in a second", values=[found.most_in_a_second], at_most=most)
    yield Row(what=f"{what}: log lines", values=[found.log_lines])


Found = Mapping[tuple[str, int], Sequence[float]]


def ratios(found: Found, one: tuple[str, int], beside: tuple[str, int]) -> list[float]:
    """Of each round."""
    return [mine / its for mine, its in zip(found[one], found[beside], strict=True)]


def whole_calls(agents: int, seconds: float) -> Iterator[Row]:
    """From ready to the next contact."""
    with tempfile.TemporaryDirectory(prefix="lcm-benchmark-") as directory, calls.sandbox(directory) as url:
        found = asyncio.run(calls.called(url, directory, agents, seconds))
    what = f"a whole call, {agents} agents: CPU of the host"
    yield Row(what=what, unit="ms", values=[found.cpu_ms], at_most=3)


def many_agents(few: int, many: int, a_second: int, seconds: float) -> Iterator[Row]:
    """A contact's cost, by how many agents there are; as many contacts a second, whoever gets them."""
    found: dict[int, list[float]] = {few: [], many: []}
    for _ in range(3):
        for agents, costs in found.items():
            with tempfile.TemporaryDirectory(prefix="lcm-benchmark-") as directory:
                with calls.sandbox(directory) as url:
                    ran = asyncio.run(calls.called(url, directory, agents, seconds, max_per_second=a_second))
                costs.append(ran.cpu_ms)
    beside = [mine / its for mine, its in zip(found[many], found[few], strict=True)]
    what = f"a contact with {many} agents, beside {few} agents: CPU of the host"
    yield Row(what=what, unit="x", values=beside, at_most=1.2)


def offered() -> Iterator[Row]:
    """What an agent waits for."""
    with lcm_server() as server:
        found = offers.measured(server, 100)
    what = "from ready to `make_call`, 1 agent: added to a bare client's"
    yield Row(what=what, unit="ms", values=found.added, at_most=1.5)
    what = "from ready to the offer with look-ahead, the LCM at 300 ms"
    yield Row(what=what, unit="ms", values=found.ahead, at_most=5)


def several_hosts(seconds: float) -> Iterator[Row]:
    """On one ledger."""
    for one in hosts.measured(seconds):
        what = f"{one.hosts} host(s) of {hosts.AGENTS} agents on {one.ledger}"
        yield Row(what=f"{what}: contacts a second", values=[one.a_second])
        yield Row(what=f"{what}: CPU of the hosts, a contact", unit="ms", values=[one.host_cpu_ms])
        if one.database_cpu_ms:
            yield Row(what=f"{what}: CPU of the database", unit="ms", values=[one.database_cpu_ms])
        yield Row(what=f"{what}: dialed twice", values=[one.dialed_twice], at_most=0)


def starts() -> Iterator[Row]:
    """Of the command line, and of the contract."""
    found = starting.measured(15)
    for what, beside, most in (
        ("lcm-plugin --help", "import click", 3.0),
        ("import cti_hooks", "import pluggy, attrs", 1.5),
    ):
        values = [mine / its for mine, its in zip(found[what], found[beside], strict=True)]
        yield Row(what=f"`{what}`, beside `{beside}`", unit="x", values=values, at_most=most)


def measured() -> Iterator[Row]:
    """Everything; first what memory is measured of, in a process that has used none yet."""
    yield from waits(10_000, 20)
    yield from herds(5000, 60)
    yield from whole_calls(50, 8)
    yield from many_agents(10, 10_000, 50, 8)
    yield from offered()
    yield from several_hosts(8)
    yield from fetches(1.0)
    yield from dispatches(0.2)
    yield from starts()


def as_markdown(rows: list[Row]) -> str:
    """The table."""
    lines = ["| what | measured | least to most | wanted | met |", "| --- | --- | --- | --- | --- |"]
    for one in rows:
        spread = f"{min(one.values):.3g} to {max(one.values):.3g}" if len(one.values) > 1 else ""
        met = {True: "yes", False: "no", None: ""}[one.met]
        lines.append(f"| {one.what} | {one.median:.3g} {one.unit} | {spread} | {one.wanted} | {met} |")
    return "\n".join(lines) + "\n"


def plot(rows: list[Row], file: Path) -> None:
    """The ratios, each with its spread."""
    shown = [one for one in rows if one.unit == "x"]
    figure, axes = plt.subplots(figsize=(9, 0.4 * len(shown) + 1))
    for place, one in enumerate(reversed(shown)):
        axes.plot([min(one.values), max(one.values)], [place, place], color="tab:grey")
        axes.plot([one.median], [place], "o", color="tab:green" if one.met in {True, None} else "tab:red")
    axes.set_yticks(range(len(shown)), [one.what for one in reversed(shown)], fontsize=8)
    axes.set_xscale("log")
    axes.grid(axis="x", alpha=0.3)
    figure.tight_layout()
    figure.savefig(file, dpi=120)


def main() -> None:
    """Run it."""
    logging.lastResort = None
    directory = Path(sys.argv[1] if len(sys.argv) > 1 else "build/bench")
    directory.mkdir(parents=True, exist_ok=True)
    rows = []
    for one in measured():
        rows.append(one)
        print(as_markdown([one]).splitlines()[-1], flush=True)
    table = as_markdown(rows)
    (directory / "bench.md").write_text(table, encoding="utf-8")
    facts = {
        "at": datetime.now(UTC).isoformat(),
        "python": platform.python_version(),
        "cores": os.cpu_count(),
    }
    told = {**facts, "rows": [{**asdict(one), "median": one.median} for one in rows]}
    (directory / "bench.json").write_text(json.dumps(told, indent=1), encoding="utf-8")
    if "plt" in globals():
        plot(rows, directory / "bench.png")
    print(f"\n{table}\nin {directory}")


if __name__ == "__main__":
    main()
