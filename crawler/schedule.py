"""``nachlese schedule``: every source when it is due. The only door to apscheduler.

APScheduler is the clock and remembers nothing. Which slots there are follows from the source files (``crawler.slots``),
which of them were run is in Postgres: a slot is claimed by inserting its run, so any number of schedulers, restarts and
clock steps make one run of it. Each source has at most one run at a time, and at most one missed slot is made up for.

A run that lasts longer than to the next slot is not waited for: its feeds, sitemaps and section pages are looked at
when they are due, and its pages go on beside that. Runs do not wait for each other either (``crawler.in_flight``).
"""

from __future__ import annotations

import asyncio
import logging
import random
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import UTC, datetime, timedelta

from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.base import BaseTrigger
from apscheduler.triggers.interval import IntervalTrigger

from crawler import config
from crawler.clock import ClockWatch, utc_now
from crawler.config import ConfigError, Configuration, Source
from crawler.reports import RunReport
from crawler.runs import SHUTDOWN_GRACE, crawl_source, look_again, stop_all
from crawler.services import Services, open_services, source_rows
from crawler.slots import Slots, share
from crawler.takeover import Takeover
from crawler.upgrades import UpgradeWatch
from crawler.watching import watch_rows
from pipelines.database import DatabaseError
from pipelines.store.takeovers import HANDED_OVER

log = logging.getLogger(__name__)

#: missed slots are caught up with over so long, each source at a moment of its own
CATCH_UP_WITHIN = timedelta(minutes=2)
FIRST_PRUNING = timedelta(minutes=10)  # after a start: first the sources
#: APScheduler's jobs wait for times of the wall clock; a task that counts seconds sees when that clock is set
LOOK_AT_THE_CLOCK = timedelta(seconds=2)
#: clocks are corrected by less than this all the time
LEAST_STEP = timedelta(seconds=2)


class SlotTrigger(BaseTrigger):  # type: ignore[misc]  # apscheduler has no types
    """APScheduler's view of a source's slots. Jitter is added when the run starts, so that slots stay what they are."""

    def __init__(self, slots: Slots):
        self.slots = slots

    def get_next_fire_time(self, previous_fire_time: datetime | None, now: datetime) -> datetime | None:
        # by the clock as it is now: if it was set back, the slots that come again are done already, says the database
        return self.slots.after(now)


class Planned:
    """The slots of a source with ``every = "auto"``: the planned look, and *fallback* as long as none is planned."""

    def __init__(self, plans: dict[str, datetime], name: str, fallback: Slots):
        self.plans, self.name, self.fallback = plans, name, fallback

    def after(self, moment: datetime) -> datetime | None:
        plan = self.plans.get(self.name)
        return plan if plan is not None and plan > moment else self.fallback.after(moment)

    def at_or_before(self, moment: datetime) -> datetime | None:
        plan = self.plans.get(self.name)
        if plan is None:
            return self.fallback.at_or_before(moment)
        return plan if plan <= moment else None  # what is planned for later has not been missed


class Scheduler:
    """Runs the enabled sources. ``start``, then ``stop``; ``reports`` is called with the end of each run.

    *now* is the wall clock, aware. *is_mine* says which sources this process runs.
    """

    def __init__(
        self,
        services: Services,
        reports: Callable[[RunReport], object] | None = None,
        now: Callable[[], datetime] = utc_now,
        is_mine: Callable[[Source], bool] = lambda source: True,
    ):
        self.is_mine = is_mine
        self.takeover = Takeover(services, self.may_run, self.take_over)
        self.upgrades = UpgradeWatch(services)
        self.services = services
        self.now = now
        self.reports = reports
        self.clock = AsyncIOScheduler(timezone=UTC, job_defaults={"misfire_grace_time": None, "coalesce": True})
        self.running: dict[str, asyncio.Task[None]] = {}
        self._begun: set[str] = set()  # of those that are running: the ones that do not wait for their moment any more
        self._missed: dict[str, datetime] = {}  # slots that came when a run had just stopped to look
        self.plans: dict[str, datetime] = {}  # the next looks at sources with every = "auto"
        self._watch = ClockWatch(now)
        self._watching: list[asyncio.Task[None]] = []
        self._repeats_until: datetime | None = None  # what the wall clock said before it was set back

    def start(self) -> None:
        """Catch up with the last slot of every source, where it was missed, and go on from there."""
        self.clock.start()
        watched = self.watch_the_clock(), self.takeover.look_on(), self.upgrades.look_on()
        self._watching = [asyncio.create_task(watching) for watching in watched]
        now = self.now()
        self.clock.add_job(self.prune, IntervalTrigger(days=1), next_run_time=datetime.now(UTC) + FIRST_PRUNING)
        for source in self.set_jobs():
            slot = self.slots_of(source).at_or_before(now)
            following = self.slots_of(source).after(now)
            if slot is not None and following is not None:
                longest = min(CATCH_UP_WITHIN, (following - slot) / 2, self.spread())
                self.begin(source.name, slot, share(source.name, "catch-up") * longest)

    async def load_plans(self) -> None:
        """Before ``start``: the looks that were planned earlier, so that one that was missed is caught up with."""
        for name in self.auto():
            if (plan := await self.services.store.next_run(name)) is not None:
                self.plans[name] = plan

    def auto(self) -> list[str]:
        """The sources whose looks follow their own rhythm."""
        return [name for name, one in self.services.configuration.sources.items() if one.is_auto and one.enabled]

    def slots_of(self, source: Source) -> Slots:
        return Planned(self.plans, source.name, source.slots()) if source.is_auto else source.slots()

    def spread(self) -> timedelta:
        """Two seconds a source: with few of them there is no stampede to avoid."""
        return timedelta(seconds=2 * (len(self.services.configuration.sources) - 1))

    def set_jobs(self) -> list[Source]:
        """One job for each enabled source, none for others. Returns the enabled ones."""
        enabled = [source for source in self.services.configuration.sources.values() if self.may_run(source.name)]
        names = {source.name for source in enabled}
        for job in self.clock.get_jobs():
            if job.id.startswith("source:") and job.id.removeprefix("source:") not in names:
                job.remove()
        for source in enabled:
            self.clock.add_job(
                self.due,
                SlotTrigger(self.slots_of(source)),
                args=[source.name],
                id=f"source:{source.name}",
                replace_existing=True,
            )
        return enabled

    def may_run(self, name: str) -> bool:
        """Whether this process runs the source of that name."""
        source = self.services.configuration.sources.get(name)
        return source is not None and source.enabled and self.is_mine(source)

    def take_over(self, name: str, run: int) -> None:
        """Go on with the run of a process that died or was stopped. Where this one runs the source, it does so."""
        self.begin(name, None, timedelta(), run)

    async def due(self, name: str) -> None:
        """Called by the clock at a slot, or later where the process was busy: the latest slot that has come counts."""
        source = self.services.configuration.sources.get(name)
        if source is not None and source.is_auto and await self.is_planned_later(name):
            return
        slots = self.slots_of(source) if source else None
        slot = slots.at_or_before(self.now()) if slots else None
        following = slots.after(slot) if slots and slot else None
        if source is not None and slot is not None:
            longest = min(source.jitter, (following - slot) / 2) if following else source.jitter
            self.begin(name, slot, random.uniform(0, 1) * longest)

    async def is_planned_later(self, name: str) -> bool:
        """Whether another scheduler has looked meanwhile and planned a later look, which is then this one's, too."""
        try:
            plan = await self.services.store.next_run(name)
        except DatabaseError:
            return False  # the run waits for the database, and says so
        if plan is None or plan <= self.now():
            return False
        self.set_plan(name, plan)
        return True

    def set_plan(self, name: str, plan: datetime) -> None:
        self.plans[name] = plan
        if job := self.clock.get_job(f"source:{name}"):
            job.reschedule(job.trigger)

    def begin(self, name: str, slot: datetime | None, after: timedelta, takes_over: int | None = None) -> None:
        """Start the run of a slot after a wait; where this process runs the source already, that run looks again."""
        if self.services.stopping:
            return
        if name in self.running:
            if slot is not None and name in self._begun and not look_again(self.services, name):
                self._missed[name] = slot
            return
        task = asyncio.create_task(self.run(name, slot, after.total_seconds(), takes_over))
        self.running[name] = task
        task.add_done_callback(lambda _: self.ended(name))

    def ended(self, name: str) -> None:
        self.running.pop(name, None)
        self._begun.discard(name)
        slot = self._missed.pop(name, None)
        if slot is not None:
            self.begin(name, slot, timedelta())

    async def run(self, name: str, slot: datetime | None, wait: float, takes_over: int | None = None) -> None:
        await asyncio.sleep(wait)
        self._begun.add(name)
        try:
            report = await crawl_source(self.services, name, slot, takes_over=takes_over)
            if (
                report.outcome == "skipped"
                and self._repeats_until is not None
                and slot is not None
                and slot <= self._repeats_until
            ):
                # the hour comes a second time: its slots are done, but nobody has looked since
                report = await crawl_source(self.services, name)
            await self.upgrades.after(report)
            await self.note_next_run(name)
            if self.reports is not None:
                self.reports(report)
        except DatabaseError as error:
            log.error("no run of %s: %s", name, error)
        except KeyError:
            log.info("%s was taken out of the configuration", name)
        except Exception:  # a mistake of ours costs this run, not the schedule
            log.exception("run of %s", name)

    async def note_next_run(self, name: str) -> None:
        """For ``nachlese status``."""
        source = self.services.configuration.sources.get(name)
        if source is not None and source.enabled and source.is_auto:
            await self.plan(source)
            return
        following = source.slots().after(self.now()) if source and source.enabled else None
        await self.services.store.save_next_run(name, following)

    async def plan(self, source: Source) -> None:
        """The next look at a source with ``every = "auto"``. A run that another process did has planned it already."""
        plan = self.plans.get(source.name)
        if plan is not None and plan > self.now():
            return
        if not await self.is_planned_later(source.name):
            look = await self.services.next_look(source, self.auto(), self.now())
            await self.services.store.save_next_run(source.name, look.at, look.why)
            self.set_plan(source.name, look.at)

    async def note_next_runs(self) -> None:
        for source in self.services.configuration.sources.values():
            if self.is_mine(source):
                await self.note_next_run(source.name)

    async def prune(self) -> None:
        """Delete what the configuration says is too old; a failure is said, and tried again a day later."""
        try:
            deleted = {name: number for name, number in (await self.services.prune()).items() if number}
        except (DatabaseError, OSError) as error:
            log.error("nothing was deleted: %s", error)
            return
        if deleted:
            log.info("deleted as too old: %s", ", ".join(f"{number} {name}" for name, number in deleted.items()))

    async def watch_the_clock(self) -> None:
        """Sleep by the loop's clock, which nobody can set, and see whether the other one was."""
        while True:
            await asyncio.sleep(LOOK_AT_THE_CLOCK.total_seconds())
            step = self._watch.step()
            if abs(step) >= LEAST_STEP:
                self.clock_was_set(step)

    def clock_was_set(self, step: timedelta) -> None:
        """Back: the jobs would wait for a time that is long gone, and are set anew. Ahead: what is due by now runs."""
        ahead = step > timedelta()
        log.warning("the clock of this machine was set %s by %s", "ahead" if ahead else "back", abs(step))
        if ahead:
            self.clock.wakeup()
            return
        before = self.now() - step
        self._repeats_until = max(before, self._repeats_until or before)
        for job in self.clock.get_jobs():
            job.reschedule(job.trigger)

    async def reload(self, configuration: Configuration) -> None:
        """Go on with other source files. Runs that have begun end as they began."""
        self.services = self.takeover.services = self.services.with_configuration(configuration)
        await self.services.store.save_sources(source_rows(configuration))
        await self.services.store.save_watchlists(watch_rows(list(configuration.watches.values())))
        self.set_jobs()
        await self.note_next_runs()

    async def drain(self) -> None:
        """No new runs; return when those that have begun have ended by themselves. Others take the next slots."""
        self.clock.shutdown(wait=False)
        self._missed.clear()
        for watching in self._watching:
            watching.cancel()
        for name in set(self.running) - self._begun:
            self.running[name].cancel()
        if self.running:
            await asyncio.wait(set(self.running.values()))

    async def stop(self, within: float) -> None:
        """No new runs; what is in flight has *within* seconds, then it is let go and stays pending."""
        if self.clock.running:
            self.clock.shutdown(wait=False)
        for watching in self._watching:
            watching.cancel()
        self._missed.clear()
        tasks = set(self.running.values())
        crawled = {crawler.spidercls.name for crawler in self.services.crawlers}
        stopping = asyncio.create_task(stop_all(self.services, HANDED_OVER, within))
        waiting = {task for name, task in self.running.items() if name not in crawled}
        for task in waiting:
            task.cancel()  # these have not begun
        if tasks:
            await asyncio.wait(tasks, timeout=within)
        for task in tasks:
            task.cancel()
        await self.services.readers.close()  # a page that is being read ends now, and comes again
        await asyncio.wait({stopping, *tasks}, timeout=SHUTDOWN_GRACE)


#: opens what a schedule needs, and yields it for the sources of which the second argument is true
Opener = Callable[[Configuration, Callable[[Source], bool]], AbstractAsyncContextManager[Scheduler]]


@asynccontextmanager
async def opened(configuration: Configuration, is_mine: Callable[[Source], bool]) -> AsyncIterator[Scheduler]:
    """The schedule that runs its sources in this process."""
    async with open_services(configuration) as services:
        yield Scheduler(services, is_mine=is_mine)


async def serve(
    configuration: Configuration, is_mine: Callable[[Source], bool] = lambda source: True, opener: Opener = opened
) -> int:
    """Run the schedule until SIGTERM or SIGINT; SIGHUP reads the configuration anew, SIGUSR1 takes no new runs and ends
    with the last one. Returns the exit code, 0."""
    loop, ending = asyncio.get_running_loop(), asyncio.Event()
    hangups: asyncio.Queue[None] = asyncio.Queue()
    loop.add_signal_handler(signal.SIGHUP, hangups.put_nowait, None)
    main = asyncio.current_task()
    assert main is not None
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGUSR1):
        loop.add_signal_handler(number, main.cancel)  # while the database is waited for
    try:
        return await until_told(opener(configuration, is_mine), ending, hangups)
    except asyncio.CancelledError:
        log.info("stopped before it began")
        return 0


async def until_told(
    opening: AbstractAsyncContextManager[Scheduler], ending: asyncio.Event, hangups: asyncio.Queue[None]
) -> int:
    """Open the services and run the schedule until a signal has set *ending*."""
    loop, told = asyncio.get_running_loop(), asyncio.Event()
    async with opening as scheduler:
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, ending.set)
        loop.add_signal_handler(signal.SIGUSR1, told.set)
        scheduler.upgrades.drain = told.set
        await scheduler.load_plans()
        scheduler.start()
        await scheduler.note_next_runs()
        sources = scheduler.services.configuration.sources
        log.info("the schedule runs: %d of %d sources are on", sum(map(scheduler.may_run, sources)), len(sources))
        rereading = asyncio.create_task(reread(scheduler, hangups))
        draining = asyncio.create_task(drained(scheduler, told, ending))
        try:
            await ending.wait()
        finally:
            log.info("stopping")
            rereading.cancel()
            draining.cancel()
            within = scheduler.services.configuration.settings.schedule.stop_within
            await scheduler.stop(within.total_seconds())
    scheduler.upgrades.refuse_if_over()
    log.info("stopped")
    return 0


async def drained(scheduler: Scheduler, told: asyncio.Event, ending: asyncio.Event) -> None:
    """When SIGUSR1 has set *told*, begin nothing new, and set *ending* when the last run has ended."""
    await told.wait()
    log.info("no new runs: %d go on to their end", len(scheduler.running))
    await scheduler.drain()
    ending.set()


async def reread(scheduler: Scheduler, hangups: asyncio.Queue[None]) -> None:
    """At each hangup read the configuration; one with mistakes is named and the old one stays."""
    while True:
        await hangups.get()
        try:
            await scheduler.reload(await asyncio.to_thread(config.load, scheduler.services.configuration.folder))
            log.info("the configuration was read again")
        except ConfigError as error:
            log.error("the configuration stays as it was: %s", error)
        except DatabaseError as error:
            log.error("the configuration was not taken over: %s", error)
