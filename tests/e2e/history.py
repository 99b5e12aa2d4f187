"""What happened in a run, as its outside saw it: what clients asked for and were told, what the
store holds, what went out, what followers saw. Plain values; invariants.py judges them."""

import dataclasses
import enum
import time


@dataclasses.dataclass(frozen=True)
class EventSeen:
    """An event, wherever it was seen. `mark` is in its data and tells which wanted event it is."""

    id: str
    stream: str
    version: int
    mark: str

    @staticmethod
    def of(event: dict) -> "EventSeen":
        """From an event of the HTTP API."""
        return EventSeen(event["id"], event["stream"], event["version"], event["data"]["mark"])

    def __str__(self):
        return f"{self.stream} version {self.version} ({self.mark}, {self.id})"


@dataclasses.dataclass(frozen=True)
class Outbound:
    """A message on an outbound topic."""

    topic: str
    event: EventSeen


class Outcome(enum.Enum):
    """What an attempt's answer says about the store."""

    COMMITTED = "committed"
    REFUSED = "refused"  # nothing was written by this attempt
    OPEN = "open"  # no answer, or one that says it is not known yet


@dataclasses.dataclass
class Attempt:
    """One request of an append. Times are of the monotonic clock."""

    outcome: Outcome
    began: float = 0.0
    ended: float = 0.0
    status: int = 0  # 0: no answer
    first_version: int = 0
    ids: tuple[str, ...] = ()
    tx: str = ""
    replayed: bool = False
    actual: int | None = None  # of a wrong expected version

    @staticmethod
    def of(answer, began: float) -> "Attempt":
        """From an answer of the HTTP API; `None` if there was none."""
        attempt = Attempt(Outcome.OPEN, began, time.monotonic())
        if answer is None:
            return attempt
        attempt.status = answer.status
        told = answer.json
        if answer.status in (201, 202):
            attempt.outcome = Outcome.COMMITTED
            attempt.first_version = told["first_version"]
            attempt.ids = tuple(told["ids"])
            attempt.replayed = answer.headers.get("Idempotent-Replayed") == "true"
        elif told["type"] == "urn:vouch:problem:idempotency-in-flight":
            pass  # another request with this key goes on
        elif told["type"] != "urn:vouch:problem:commit-unknown":
            attempt.outcome = Outcome.REFUSED
            attempt.actual = told.get("actual")
        attempt.tx = told.get("tx", "")
        return attempt


@dataclasses.dataclass
class Append:
    """What a client wanted, and every attempt at it. `marks`: one for each event."""

    stream: str
    marks: tuple[str, ...]
    expected: int | str | None = None  # a version, "none", "exists"; None: any
    key: str | None = None
    ids: tuple[str, ...] = ()  # given by the client
    attempts: list[Attempt] = dataclasses.field(default_factory=list)

    @property
    def repeatable(self) -> bool:
        return bool(self.key or self.ids)

    @property
    def committed(self) -> list[Attempt]:
        return [each for each in self.attempts if each.outcome is Outcome.COMMITTED]

    @property
    def refused_for_good(self) -> bool:
        """Whether nothing of it may ever be seen. A wrong expected version of a repeatable append
        speaks for its earlier attempts too: they would have been found first."""
        if not self.attempts or self.committed:
            return False
        if all(each.outcome is Outcome.REFUSED for each in self.attempts):
            return True
        return self.repeatable and self.attempts[-1].status == 412

    def __str__(self):
        told = [each.status or "no answer" for each in self.attempts]
        return f"append of {self.marks[0]} to {self.stream} (answers: {told})"


@dataclasses.dataclass
class Followed:
    """What one follower saw from the first event ever on, over all of its connections."""

    name: str
    seen: list[EventSeen] = dataclasses.field(default_factory=list)


@dataclasses.dataclass
class History:
    """A whole run. Everything but `appends` and `followers` is read at its end, when everything
    committed was delivered."""

    appends: list[Append] = dataclasses.field(default_factory=list)
    feed: list[EventSeen] = dataclasses.field(default_factory=list)
    streams: dict[str, list[EventSeen]] = dataclasses.field(default_factory=dict)
    heads: dict[str, int] = dataclasses.field(default_factory=dict)
    outbound: list[Outbound] = dataclasses.field(default_factory=list)
    followers: list[Followed] = dataclasses.field(default_factory=list)
    transactions: dict[str, str] = dataclasses.field(default_factory=dict)
    #: Topics that every event goes out on.
    routes: tuple[str, ...] = ("events.{category}",)

    def summary(self) -> str:
        attempts = [each for append in self.appends for each in append.attempts]
        count = {outcome: sum(each.outcome is outcome for each in attempts) for outcome in Outcome}
        found = sum(append.attempts[0].outcome is Outcome.OPEN and append.committed != []
                    and append.committed[0].replayed for append in self.appends)
        return (f"{len(self.appends)} appends, {count[Outcome.COMMITTED]} answers committed, "
                f"{count[Outcome.REFUSED]} refused, {count[Outcome.OPEN]} missing ({found} of them "
                f"found stored by a retry), {len(self.feed)} events in {len(self.streams)} "
                f"streams, {len(self.outbound)} messages out")
