"""How delivery stands at this moment: gauges for Prometheus, and warnings for whoever asks whether we are ready."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from prometheus_client.metrics_core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from service.domain.errors import Unavailable

if TYPE_CHECKING:
    from service.api.deployment import Deployment

OLD_S: Final = 900
"""A delivery that is open for longer is worth a warning."""


class Queues(Collector):
    """Depth and age of each destination's queue, its dead letters, whether it is left alone, whether it is stalled."""

    def __init__(self, here: "Deployment") -> None:
        """Take the deployment; the database is asked when Prometheus asks."""
        self._here = here

    def collect(self) -> Iterator[Metric]:
        """The gauges; none while the database does not answer."""
        depth = GaugeMetricFamily("lesionbridge_queue_depth", "Deliveries under way.", labels=["destination"])
        age = GaugeMetricFamily("lesionbridge_queue_oldest_seconds", "Age of the oldest.", labels=["destination"])
        states = GaugeMetricFamily("lesionbridge_deliveries", "Not done.", labels=["destination", "state"])
        alone = GaugeMetricFamily("lesionbridge_circuit_open", "1: it is left alone.", labels=["destination"])
        stuck = GaugeMetricFamily("lesionbridge_queue_stalled", "1: due, and none is begun.", labels=["destination"])
        if not self._here.destinations:
            return
        from service.store.circuits import open_circuits
        from service.store.stalls import stalled
        from service.store.times import seconds_between

        kept = self._here.store.deliveries
        now = kept.now()
        try:
            queues, counts, left = kept.queues(), kept.counts(), open_circuits(kept.engine)
            stalls = {
                name: not one.dry_run and stalled(kept.engine, now, name, one.rate.per_s)
                for name, one in self._here.destinations.items()
            }
        except Unavailable:
            return
        # What waits for a destination that was renamed or taken out is seen, too: nobody sends it.
        for name in dict.fromkeys([*self._here.destinations, *queues]):
            number, oldest = queues.get(name, (0, now))
            depth.add_metric([name], number)
            age.add_metric([name], max(0.0, seconds_between(oldest or now, now)))
            stuck.add_metric([name], float(stalls.get(name, False)))
            alone.add_metric([name], float(any(one.destination == name for one in left)))
        for (name, state), number in counts.items():
            states.add_metric([name, state], number)
        yield from (depth, age, states, alone, stuck)


def warnings(here: "Deployment") -> tuple[str, ...]:
    """What to look at: an archive asked in vain, destinations left alone, old or stalled deliveries, no worker."""
    if not here.destinations:
        return ()
    from service.store.circuits import open_circuits
    from service.store.stalls import STALLED_S, stalled
    from service.store.times import seconds_between

    kept = here.store.deliveries
    asked = here.archive
    said: list[str] = []
    if asked is not None and asked.away_since:
        why = "reports whose study it is asked for are answered with 503"
        said.append(f"the archive {asked.name} (study_context) does not answer since {asked.away_since}: {why}")
    try:
        said.extend(
            f"destination {one.destination} is left alone since {one.opened}: {one.reason}"
            for one in open_circuits(kept.engine)
        )
        now, queues = kept.now(), kept.queues()
        for name, (number, oldest) in queues.items():
            age = seconds_between(oldest or now, now)
            if age > OLD_S:
                said.append(f"{number} deliveries to {name} wait, the oldest for {int(age / 60)} minutes")
            if name not in here.destinations:
                said.append(f"{number} deliveries to {name} wait, and there is no such destination any more")
            elif here.destinations[name].dry_run:
                said.append(f"{number} deliveries to {name} wait: it is set to dry_run, and nothing is sent")
            elif stalled(kept.engine, now, name, here.destinations[name].rate.per_s):
                said.append(f"deliveries to {name} have been due for {STALLED_S:.0f} seconds and no worker begins them")
        if queues and not here.store.workers.present():
            said.append("deliveries wait and there is no worker")
    except Unavailable as error:
        said.append(error.problems[0].detail)
    return tuple(said)
