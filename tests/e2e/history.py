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
    stream: str | None = None  # that is not at it
    #: Of an append to several streams: each with its first version and ids.
    writes: tuple[tuple[str, int, tuple[str, ...]], ...] = ()

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
            attempt.writes = tuple((write["stream"], write["first_version"], tuple(write["ids"]))
                                   for write in told.get("writes", []))
            attempt.first_version = told.get("first_version", 0)
            attempt.ids = tuple(told.get("ids", []))
            attempt.replayed = answer.headers.get("Idempotent-Replayed") == "true"
        elif told["type"] == "urn:vouch:problem:idempotency-in-flight":
            pass  # another request with this key goes on
        elif told["type"] != "urn:vouch:problem:commit-unknown":
            attempt.outcome = Outcome.REFUSED
            attempt.actual = told.get("actual")
            attempt.stream = told.get("stream")
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
    def parts(self) -> "list[Append]":
        return [self]

    def note(self, attempt: Attempt) -> None:
        self.attempts.append(attempt)

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
class Joint:
    """Appends to several streams that a client wanted in one transaction. Each part keeps what was said
    of it, so that what holds for an append is asked of each."""

    parts: list[Append]
    #: What other streams must be.
    preconditions: dict[str, int | str] = dataclasses.field(default_factory=dict)
    attempts: list[Attempt] = dataclasses.field(default_factory=list)

    @property
    def key(self) -> str | None:
        return self.parts[0].key

    @property
    def repeatable(self) -> bool:
        return self.parts[0].repeatable

    @property
    def committed(self) -> list[Attempt]:
        return [each for each in self.attempts if each.outcome is Outcome.COMMITTED]

    def note(self, attempt: Attempt) -> None:
        self.attempts.append(attempt)
        told = attempt.writes or ((None, 0, ()),) * len(self.parts)
        for part, (_, first, ids) in zip(self.parts, told):
            part.note(dataclasses.replace(attempt, first_version=first, ids=ids, writes=()))

    def __str__(self):
        needs = f" needing {self.preconditions}" if self.preconditions else ""
        return " with ".join(map(str, self.parts)) + needs


@dataclasses.dataclass
class Followed:
    """What one follower saw from the first event ever on, over all of its connections."""

    name: str
    seen: list[EventSeen] = dataclasses.field(default_factory=list)


@dataclasses.dataclass
class History:
    """A whole run. Everything but `appends`, `joints` and `followers` is read at its end, when everything
    committed was delivered."""

    appends: list[Append] = dataclasses.field(default_factory=list)
    #: Whose parts are among the appends.
    joints: list[Joint] = dataclasses.field(default_factory=list)
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
        joints = sum(bool(joint.committed) for joint in self.joints)
        return (f"{len(self.appends)} appends, some of them parts of {len(self.joints)} to several "
                f"streams ({joints} committed), {count[Outcome.COMMITTED]} answers committed, "
                f"{count[Outcome.REFUSED]} refused, {count[Outcome.OPEN]} missing ({found} of them "
                f"found stored by a retry), {len(self.feed)} events in {len(self.streams)} "
                f"streams, {len(self.outbound)} messages out")
