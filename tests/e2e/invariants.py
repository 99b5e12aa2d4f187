"""Judges a run: history in, violations out. Knows the promise, and nothing about storage, broker or
how the run was made. One function for each invariant, numbered as in docs/architecture.md."""

import bisect
import collections
import dataclasses
import graphlib
import itertools

from history import Append, Attempt, EventSeen, History, Joint, Outcome


@dataclasses.dataclass(frozen=True)
class Violation:
    invariant: int
    words: str

    def __str__(self):
        return f"invariant {self.invariant}: {self.words}"


def violations(history: History) -> list[Violation]:
    found = []
    for number, check in enumerate((no_phantom, no_loss, order, definite_answers, versions,
                                    safe_retries, readers_skip_nothing), 1):
        found += [Violation(number, words) for words in check(history)]
    return found


def assert_promise_kept(history: History, context: str) -> None:
    """Fails with the first violations of each invariant and `context`, which says how to replay."""
    found = violations(history)
    if not found:
        return
    shown = [str(each) for _, group in itertools.groupby(found, lambda each: each.invariant)
             for each in itertools.islice(group, 5)]
    raise AssertionError(f"{len(found)} violations, {context}:\n" + "\n".join(shown))


def no_phantom(history: History):
    """1. What reaches an outbound topic is committed in the database."""
    stored = {event.id: event for event in history.feed}
    for message in history.outbound:
        event = stored.get(message.event.id)
        if event is None:
            yield f"{message.event} went out on {message.topic} and is not stored"
        elif event != message.event:
            yield f"{message.event} went out on {message.topic}, but stored is {event}"


def no_loss(history: History):
    """2. What is committed reaches its outbound topics."""
    out = {(message.topic, message.event.id) for message in history.outbound}
    for event in history.feed:
        for route in history.routes:
            topic = route.format(category=event.stream.partition("-")[0], stream=event.stream)
            if (topic, event.id) not in out:
                yield f"{event} is stored and never went out on {topic}"


def order(history: History):
    """3. First occurrences of a stream's events go out in version order, without a gap."""
    last: dict[tuple[str, str], int] = collections.defaultdict(int)
    for message in history.outbound:
        place = (message.topic, message.event.stream)
        if message.event.version > last[place] + 1:
            yield f"{message.event} went out on {message.topic} right after version {last[place]}"
        last[place] = max(last[place], message.event.version)


def definite_answers(history: History):
    """4. Answered committed only when it is, failed only when nothing of it will ever be seen."""
    stored = _by_mark(history.feed)
    everywhere = set(stored)
    everywhere.update(message.event.mark for message in history.outbound)
    everywhere.update(event.mark for follower in history.followers for event in follower.seen)
    for append in history.appends:
        yield from _told_as_stored(append, stored)
        if append.refused_for_good:
            for mark in everywhere.intersection(append.marks):
                yield f"{append} was refused, and {mark} was seen"
        there = [mark for mark in append.marks if mark in stored]
        if there and len(there) < len(append.marks):
            yield f"of {append} only a part is stored: {there}"
        elif there:
            yield from _side_by_side(append, stored)
    for joint in history.joints:
        yield from _together(joint, stored)
    yield from _transactions(history, stored)
    yield from _refusals_are_true(history)
    for mark in set(stored).difference(*(append.marks for append in history.appends)):
        yield f"{stored[mark][0]} is stored and nobody asked for it"


def _told_as_stored(append: Append, stored: dict[str, list[EventSeen]]):
    for attempt in append.committed:
        if len(attempt.ids) != len(append.marks):
            yield f"{append} was answered with {len(attempt.ids)} ids"
        for place, (mark, event_id) in enumerate(zip(append.marks, attempt.ids)):
            told = EventSeen(event_id, append.stream, attempt.first_version + place, mark)
            if told not in stored.get(mark, []):
                yield f"{told} was answered as committed; stored is {stored.get(mark)}"


def _side_by_side(append: Append, stored: dict[str, list[EventSeen]]):
    events = [stored[mark][0] for mark in append.marks]
    first = events[0].version
    for place, event in enumerate(events):
        if (event.stream, event.version) != (append.stream, first + place):
            yield f"{append} began at version {first}, but its event {place} is {event}"


def _together(joint: Joint, stored: dict[str, list[EventSeen]]):
    there = [part.stream for part in joint.parts if part.marks[0] in stored]
    if there and len(there) < len(joint.parts):
        yield f"of {joint} only what goes to {there} is stored"
    streams = [part.stream for part in joint.parts]
    for attempt in joint.committed:
        if [stream for stream, _, _ in attempt.writes] != streams:
            yield f"{joint} was answered for {attempt.writes}"
    for attempt in joint.attempts:
        if attempt.status == 412 and attempt.stream not in {*streams, *joint.preconditions}:
            yield f"{joint} was refused for {attempt.stream}"


def _transactions(history: History, stored: dict[str, list[EventSeen]]):
    for append in history.appends:
        for attempt in append.attempts:
            state = history.transactions.get(attempt.tx)
            if state is None:
                continue
            if attempt.outcome is Outcome.COMMITTED and state != "committed":
                yield f"{append} was answered as committed, its transaction is {state}"
            if attempt.outcome is Outcome.OPEN and not append.committed:
                written = append.marks[0] in stored
                if state != ("committed" if written else "aborted"):
                    yield f"{append}: stored is {written}, its transaction is {state}"


def _refusals_are_true(history: History):
    """The actual version that a refusal names is one that the stream had after the request."""
    told: dict[str, list[tuple[float, int]]] = collections.defaultdict(list)
    for append in history.appends:
        for attempt in append.committed:
            told[append.stream].append((attempt.ended, _last(append, attempt)))
    floors = {}
    for stream, ends in told.items():
        ends.sort()
        floors[stream] = ([end for end, _ in ends],
                          list(itertools.accumulate((last for _, last in ends), max)))
    heads = {name: len(events) for name, events in history.streams.items()}
    parts = {id(part) for joint in history.joints for part in joint.parts}
    for append in [*history.appends, *_demands(history)]:
        for attempt in append.attempts:
            if attempt.status != 412 or id(append) in parts and attempt.stream != append.stream:
                continue
            times, highest = floors.get(append.stream, ([], []))
            before = bisect.bisect_left(times, attempt.began)
            least = highest[before - 1] if before else 0
            if attempt.actual is None:
                yield f"{append} was refused without the actual version"
            elif _met(append.expected, attempt.actual):
                yield (f"{append} expected {append.expected} and was refused for actual "
                       f"{attempt.actual}")
            elif not least <= attempt.actual <= heads.get(append.stream, 0):
                yield (f"{append} was told actual {attempt.actual}; the stream was at {least} "
                       f"before and came to {heads.get(append.stream, 0)}")


def _demands(history: History):
    """Preconditions as appends of nothing, with the attempts that were refused for them."""
    for joint in history.joints:
        for stream, expected in joint.preconditions.items():
            refused = [each for each in joint.attempts if each.stream == stream]
            yield Append(stream, joint.parts[0].marks, expected, attempts=refused)


def versions(history: History):
    """5. Versions are dense from 1; of writers that race for one version exactly one wins."""
    for name, events in history.streams.items():
        if [event.version for event in events] != list(range(1, len(events) + 1)):
            yield f"{name} has versions {_broken_run(event.version for event in events)}"
        if history.heads.get(name) != len(events):
            yield f"{name} has {len(events)} events, its head is {history.heads.get(name)}"
    claims: dict[tuple[str, int], str] = {}
    winners: dict[tuple[str, int], Append] = {}
    for append in history.appends:
        wanted = 0 if append.expected == "none" else append.expected
        if append.committed and isinstance(wanted, int):
            other = winners.setdefault((append.stream, wanted), append)
            if other is not append:
                yield f"{append} and {other} both won at version {wanted}"
        for attempt in append.committed:
            if not _met(append.expected, attempt.first_version - 1):
                yield f"{append} expected {append.expected}, but begins at {attempt.first_version}"
            for place, event_id in enumerate(attempt.ids):
                spot = (append.stream, attempt.first_version + place)
                if claims.setdefault(spot, event_id) != event_id:
                    yield f"{spot} was given to {event_id} and to {claims[spot]}"
    yield from _one_after_the_other(history)


def _one_after_the_other(history: History):
    """There is an order in which all that is stored could have been written one by one, so that every
    precondition of an append to several streams held at its turn."""
    wanted: dict[str, Append | Joint] = {}
    for unit in [*history.appends, *history.joints]:  # a joint takes the place of its parts
        wanted.update((mark, unit) for part in unit.parts for mark in part.marks)
    writers = {name: [wanted[event.mark] for event in events if event.mark in wanted]
               for name, events in history.streams.items()}
    units = {id(unit): unit for unit in wanted.values()}
    before: dict[int, set[int]] = {key: set() for key in units}

    def comes_first(first: Append | Joint, then: Append | Joint) -> None:
        if first is not then:
            before[id(then)].add(id(first))

    for events in writers.values():
        for first, then in itertools.pairwise(events):
            comes_first(first, then)
    stored = {event.mark for event in history.feed}
    for joint in history.joints:
        if joint.parts[0].marks[0] not in stored:
            continue
        for stream, expected in joint.preconditions.items():
            events = writers.get(stream, [])
            at = {"none": 0, "exists": 1}.get(expected, expected)
            if at > len(events):
                yield f"{joint} needed {stream} at {expected}, which came to {len(events)}"
                continue
            if at > 0:
                comes_first(events[at - 1], joint)
            if expected != "exists" and at < len(events):
                comes_first(joint, events[at])
    try:
        graphlib.TopologicalSorter(before).prepare()
    except graphlib.CycleError as circle:
        yield "each has to come before the next: " + "; ".join(
            str(units[key]) for key in circle.args[1])


def safe_retries(history: History):
    """6. The same idempotency key, or the same event ids, are stored once."""
    for mark, events in _by_mark(history.feed).items():
        if len(events) > 1:
            yield f"{mark} is stored {len(events)} times: {'; '.join(map(str, events))}"
    ids = collections.Counter(event.id for event in history.feed)
    for event_id, times in ids.items():
        if times > 1:
            yield f"the event id {event_id} is stored {times} times"
    for append in history.appends:
        committed = append.committed
        answers = {(each.first_version, each.ids, each.tx) for each in committed}
        if len(answers) > 1:
            yield f"{append} got different answers: {answers}"
        if sum(not each.replayed for each in committed) > 1:
            yield f"{append} was answered as new more than once"
        if append.ids and any(each.ids != append.ids for each in committed):
            yield f"{append} was not stored under the ids that it brought"


def readers_skip_nothing(history: History):
    """7. Reading the feed from a cursor passes over nothing, and repeats nothing."""
    listed = {event for events in history.streams.values() for event in events}
    yield from _is_all_of(listed, history.feed, "the feed")
    for follower in history.followers:
        yield from _is_all_of(listed, follower.seen, f"follower {follower.name}")


def _is_all_of(stored: set[EventSeen], seen: list[EventSeen], reader: str):
    times = collections.Counter(seen)
    for event in stored.difference(times):
        yield f"{reader} never showed {event}"
    last: dict[str, int] = collections.defaultdict(int)
    for event in seen:
        if event not in stored:
            yield f"{reader} showed {event}, which is not stored"
        if event.version != last[event.stream] + 1:
            yield f"{reader} showed {event} right after version {last[event.stream]}"
        last[event.stream] = event.version


def _by_mark(events: list[EventSeen]) -> dict[str, list[EventSeen]]:
    found: dict[str, list[EventSeen]] = {}
    for event in events:
        found.setdefault(event.mark, []).append(event)
    return found


def _last(append: Append, attempt: Attempt) -> int:
    return attempt.first_version + len(append.marks) - 1


def _met(expected: int | str | None, actual: int) -> bool:
    if expected is None:
        return True
    if expected == "exists":
        return actual > 0
    return actual == (0 if expected == "none" else expected)


def _broken_run(numbers) -> str:
    """The first place at which numbers stop being 1, 2, 3."""
    for place, number in enumerate(numbers, 1):
        if number != place:
            return f"… {place - 1}, {number} …"
    return "1, 2, 3 …"
