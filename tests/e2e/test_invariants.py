"""The judge of runs judged: a history that keeps the promise passes, and each way to break it is
found and named."""

import copy
import dataclasses
import unittest

from history import Append, Attempt, EventSeen, Followed, History, Joint, Outbound, Outcome
from invariants import assert_promise_kept, violations


def committed(first: int, *ids: str, **told) -> Attempt:
    return Attempt(Outcome.COMMITTED, status=201, first_version=first, ids=ids, **told)


def wrong_version(actual: int, **told) -> Attempt:
    return Attempt(Outcome.REFUSED, status=412, actual=actual, **told)


def silence() -> Attempt:
    return Attempt(Outcome.OPEN)


def events(stream: str, *pairs: tuple[str, str]) -> list[EventSeen]:
    return [EventSeen(event_id, stream, version, mark)
            for version, (event_id, mark) in enumerate(pairs, 1)]


def joint(*parts: Append, need: dict | None = None) -> Joint:
    return Joint(list(parts), need or {})


def committed_joint(tx: str, *writes: tuple[str, int, tuple[str, ...]], **told) -> Attempt:
    return Attempt(Outcome.COMMITTED, status=201, writes=writes, tx=tx, **told)


def good_joints() -> History:
    """Two appends to two streams each, of which the second needs what the first wrote; another one that
    was refused, because a stream that it needs was not there."""
    one, two, need = (events("a-1", ("i1", "p"), ("i2", "q"), ("i5", "s")), events("b-1", ("i3", "r")),
                      events("c-1", ("i4", "t")))
    first = joint(Append("a-1", ("p", "q"), "none", key="k"), Append("b-1", ("r",), key="k"))
    for _ in range(2):
        first.note(committed_joint("t1", ("a-1", 1, ("i1", "i2")), ("b-1", 1, ("i3",)), began=1, ended=2,
                                   replayed=bool(first.attempts)))
    second = joint(Append("c-1", ("t",)), Append("a-1", ("s",), 2), need={"b-1": 1})
    second.note(committed_joint("t2", ("c-1", 1, ("i4",)), ("a-1", 3, ("i5",)), began=3, ended=4))
    third = joint(Append("a-1", ("u",)), Append("b-1", ("v",)), need={"d-1": "exists"})
    third.note(wrong_version(0, stream="d-1", began=5, ended=6))
    joints = [first, second, third]
    history = History(appends=[part for each in joints for part in each.parts], joints=joints,
                      feed=[*one[:2], *two, *need, one[2]],
                      streams={"a-1": one, "b-1": two, "c-1": need},
                      heads={"a-1": 3, "b-1": 1, "c-1": 1})
    history.outbound = [Outbound(f"events.{event.stream[0]}", event) for event in history.feed]
    return history


def good() -> History:
    """Two streams. Appends of every kind: plain, raced for, repeated by key and by ids, lost."""
    account = events("account-1", ("id1", "a"), ("id2", "b"), ("id3", "c"), ("id4", "d"))
    order = events("order-1", ("id5", "e"))
    history = History(
        appends=[
            Append("account-1", ("a",), "none", attempts=[committed(1, "id1", tx="t1", began=1,
                                                                    ended=2)]),
            Append("account-1", ("b", "c"), 1, key="k", attempts=[
                silence(), committed(2, "id2", "id3", tx="t2", replayed=True, began=5, ended=6),
                committed(2, "id2", "id3", tx="t2", replayed=True, began=7, ended=8)]),
            Append("account-1", ("x",), 1, key="l", attempts=[
                silence(), wrong_version(3, began=9, ended=10)]),
            Append("account-1", ("d",), ids=("id4",), attempts=[
                Attempt(Outcome.REFUSED, status=503), committed(4, "id4", tx="t3", began=11,
                                                                ended=12)]),
            Append("order-1", ("e",), attempts=[Attempt(Outcome.OPEN, status=503, tx="t4")]),
            Append("order-1", ("y",), attempts=[silence()]),
        ],
        feed=[account[0], order[0], *account[1:]],
        streams={"account-1": account, "order-1": order},
        heads={"account-1": 4, "order-1": 1},
        transactions={"t1": "committed", "t2": "committed", "t4": "committed"})
    history.outbound = [Outbound("events.account", event) for event in account[:2]]
    # Published again after a kill, from an earlier place on.
    history.outbound += [Outbound("events.account", event) for event in account]
    history.outbound.append(Outbound("events.order", order[0]))
    history.followers = [Followed("one", list(history.feed)), Followed("two", list(history.feed))]
    return history


class JudgeTestCase(unittest.TestCase):
    def broken(self, invariant: int, words: str, change, whole=good) -> None:
        """`change` breaks a good history; the judge names the invariant, in these words."""
        history = copy.deepcopy(whole())
        change(history)
        found = violations(history)
        self.assertTrue(any(each.invariant == invariant and words in each.words for each in found),
                        f"expected “{words}” of invariant {invariant}, found {found}")
        with self.assertRaises(AssertionError) as raised:
            assert_promise_kept(history, "VOUCH_KILL_SEED=7")
        self.assertIn("VOUCH_KILL_SEED=7", str(raised.exception))
        self.assertIn(f"invariant {invariant}: ", str(raised.exception))

    def test_history_that_keeps_the_promise_passes(self):
        for whole in (good(), good_joints()):
            self.assertEqual(violations(whole), [])
            assert_promise_kept(whole, "")

    def test_phantom_is_found(self):
        phantom = Outbound("events.order", EventSeen("id9", "order-1", 2, "y"))
        self.broken(1, "is not stored", lambda h: h.outbound.append(phantom))
        other = Outbound("events.order", EventSeen("id5", "order-1", 1, "other"))
        self.broken(1, "but stored is", lambda h: h.outbound.append(other))

    def test_loss_is_found(self):
        self.broken(2, "never went out", lambda h: h.outbound.pop())
        self.broken(2, "never went out on all.order-1",
                    lambda h: setattr(h, "routes", ("events.{category}", "all.{stream}")))

    def test_disorder_on_a_topic_is_found(self):
        def swap(h):
            h.outbound[0], h.outbound[1] = h.outbound[1], h.outbound[0]
        self.broken(3, "right after version 0", swap)
        self.broken(3, "right after version 2", lambda h: h.outbound.pop(4))

    def test_answer_that_is_not_true_is_found(self):
        def forget(h, mark):
            for place in (h.feed, h.streams["account-1"], h.streams["order-1"]):
                place[:] = [event for event in place if event.mark != mark]
        self.broken(4, "answered as committed; stored is None", lambda h: forget(h, "d"))
        self.broken(4, "only a part is stored", lambda h: forget(h, "c"))
        self.broken(4, "answered as committed",
                    lambda h: h.appends[0].attempts.append(committed(3, "id1", tx="t1")))
        self.broken(4, "was answered with 1 ids",
                    lambda h: h.appends[1].attempts.append(committed(2, "id2", tx="t2")))

        def write(h, mark):
            h.feed.append(EventSeen("id9", "order-1", 2, mark))
        self.broken(4, "was refused, and x was seen", lambda h: write(h, "x"))
        self.broken(4, "nobody asked for it", lambda h: write(h, "z"))
        seen = EventSeen("id9", "account-1", 5, "x")
        self.broken(4, "was refused, and x was seen", lambda h: h.followers[0].seen.append(seen))
        self.broken(4, "was refused, and x was seen",
                    lambda h: h.outbound.append(Outbound("events.account", seen)))
        self.broken(4, "was refused, and e was seen",
                    lambda h: setattr(h.appends[4], "attempts",
                                      [Attempt(Outcome.REFUSED, status=503)]))

    def test_append_that_is_torn_apart_is_found(self):
        def tear(h):
            h.appends[1].marks = ("c", "b")
            h.appends[1].attempts = [silence()]
        self.broken(4, "but its event 1 is", tear)

    def broken_joints(self, invariant: int, words: str, change) -> None:
        self.broken(invariant, words, change, good_joints)

    def test_append_to_several_streams_of_which_a_part_is_stored_is_found(self):
        def forget(h, stream):
            for place in (h.feed, h.streams[stream]):
                place[:] = [event for event in place if event.stream != stream]
        self.broken_joints(4, "only what goes to ['a-1'] is stored", lambda h: forget(h, "b-1"))
        self.broken_joints(4, "answered as committed; stored is None", lambda h: forget(h, "c-1"))

        def store(h):
            h.feed.append(EventSeen("i9", "b-1", 2, "v"))
        self.broken_joints(4, "only what goes to ['b-1'] is stored", store)
        self.broken_joints(4, "was refused, and v was seen", store)

    def test_answer_that_speaks_of_other_streams_is_found(self):
        self.broken_joints(4, "was answered for", lambda h: h.joints[1].note(
            committed_joint("t2", ("a-1", 3, ("i5",)), ("c-1", 1, ("i4",)))))
        self.broken_joints(6, "got different answers", lambda h: h.joints[0].note(
            committed_joint("t9", ("a-1", 1, ("i1", "i2")), ("b-1", 1, ("i3",)), replayed=True)))

        def refuse(h, actual, stream):
            h.joints[2].attempts[-1] = wrong_version(actual, stream=stream, began=5, ended=6)
        self.broken_joints(4, "refused for actual 1", lambda h: refuse(h, 1, "d-1"))
        self.broken_joints(4, "was refused for e-1", lambda h: refuse(h, 7, "e-1"))

    def test_precondition_that_did_not_hold_is_found(self):
        def need(h, place, stream, expected):
            h.joints[place].preconditions = {stream: expected}
        self.broken_joints(5, "needed b-1 at 2, which came to 1", lambda h: need(h, 1, "b-1", 2))
        self.broken_joints(5, "needed d-1 at exists", lambda h: need(h, 1, "d-1", "exists"))
        # It has to come before the first because of b-1, and after it because of a-1.
        self.broken_joints(5, "each has to come before the next",
                           lambda h: need(h, 1, "b-1", "none"))
        # Both saw the other's stream as it was before: neither came first.
        self.broken_joints(5, "each has to come before the next",
                           lambda h: need(h, 0, "c-1", 1))

    def test_transaction_that_contradicts_its_answer_is_found(self):
        self.broken(4, "its transaction is aborted", lambda h: h.transactions.update(t1="aborted"))
        self.broken(4, "stored is True, its transaction is in_progress",
                    lambda h: h.transactions.update(t4="in_progress"))

    def test_refusal_that_is_not_true_is_found(self):
        def refuse(h, actual):
            h.appends[2].attempts[-1] = wrong_version(actual, began=9, ended=10)
        self.broken(4, "refused for actual 1", lambda h: refuse(h, 1))
        self.broken(4, "was told actual 2; the stream was at 3", lambda h: refuse(h, 2))
        self.broken(4, "was told actual 9", lambda h: refuse(h, 9))
        self.broken(4, "without the actual version", lambda h: refuse(h, None))

    def test_gap_in_versions_and_second_winner_are_found(self):
        def skip(h):
            for place in (h.feed, h.streams["account-1"]):
                place[:] = [dataclasses.replace(event, version=5) if event.mark == "d" else event
                            for event in place]
        self.broken(5, "… 3, 5 …", skip)
        self.broken(5, "its head is 7", lambda h: h.heads.update({"account-1": 7}))
        twice = Append("account-1", ("v",), "none", attempts=[committed(1, "id9", tx="t9")])
        self.broken(5, "both won at version 0", lambda h: h.appends.append(twice))
        self.broken(5, "was given to id9 and to id1", lambda h: h.appends.append(twice))
        self.broken(5, "expected 3, but begins at 2",
                    lambda h: setattr(h.appends[1], "expected", 3))

    def test_retry_that_is_stored_twice_is_found(self):
        def store(h, event):
            h.feed.append(event)
            h.streams["account-1"].append(event)
        self.broken(6, "b is stored 2 times",
                    lambda h: store(h, EventSeen("id9", "account-1", 5, "b")))
        self.broken(6, "the event id id4 is stored 2 times",
                    lambda h: store(h, EventSeen("id4", "account-1", 5, "w")))
        self.broken(6, "got different answers",
                    lambda h: h.appends[1].attempts.append(
                        committed(2, "id2", "id3", tx="t5", replayed=True)))
        self.broken(6, "was answered as new more than once",
                    lambda h: h.appends[0].attempts.append(committed(1, "id1", tx="t1")))
        self.broken(6, "under the ids that it brought",
                    lambda h: setattr(h.appends[3], "ids", ("id7",)))

    def test_event_that_a_reader_missed_is_found(self):
        self.broken(7, "the feed never showed order-1", lambda h: h.feed.pop(1))
        self.broken(7, "follower two never showed order-1", lambda h: h.followers[1].seen.pop(1))
        self.broken(7, "follower one never showed", lambda h: h.followers[0].seen.clear())

    def test_event_that_a_reader_saw_twice_or_in_disorder_or_from_nowhere_is_found(self):
        self.broken(7, "follower one showed account-1 version 1",
                    lambda h: h.followers[0].seen.append(h.feed[0]))

        def swap(h):
            h.feed[2], h.feed[3] = h.feed[3], h.feed[2]
        self.broken(7, "the feed showed account-1 version 3 (c, id3) right after version 1", swap)
        ghost = EventSeen("id9", "ghost-1", 1, "y")
        self.broken(7, "which is not stored", lambda h: h.followers[0].seen.append(ghost))


if __name__ == "__main__":
    unittest.main()
