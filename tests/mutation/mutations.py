"""Ways to break the flow on purpose. `scripts/mutation-check` applies each to a copy of the sources,
builds, and shows which test fails. A text that is not found exactly once is an error, so that this
list can't go stale in silence."""

import dataclasses


@dataclasses.dataclass
class Mutation:
    """One defect: in `file`, each old text is replaced by the new one. `suites` are run until one
    fails."""
    name: str
    file: str
    edits: list[tuple[str, str]]
    suites: list[str]


WRITER = "host/append/src/lane_writer.cpp"
ROUTE = "host/saga/src/route_delivery.cpp"
LETTERS = "host/saga/src/route_letters.cpp"
COMPLETION = "host/saga/src/completion.cpp"
SAGA = "host/saga/src/saga.cpp"

MUTATIONS = [
    Mutation("publish-before-insert", WRITER, [(
        "  if (const Status published = publish(*staged); !published.ok()) {",
        # The message goes out while its rows are not in the database: they are staged once more.
        "  lane_->rollback();\n"
        "  const Status early = publish(*staged);\n"
        "  staged = stage(group);\n"
        "  if (!staged.ok()) return write_one_by_one(std::move(group), staged.status());\n"
        "  if (const Status published = early; !published.ok()) {")],
        ["flow", "property"]),
    Mutation("commit-before-publish", WRITER, [(
        "  if (const Status published = publish(*staged); !published.ok()) {",
        "  const CommitResult hasty = commit(staged->token);\n"
        "  if (const Status published = publish(*staged); !published.ok()) {"), (
        "  const CommitResult committed = commit(staged->token);\n",
        "  const CommitResult& committed = hasty;\n")],
        ["flow", "property"]),
    Mutation("commit-although-the-publish-failed", WRITER, [(
        "    lane_->rollback();\n    forget_heads(group);\n    env_.metrics.rolled_back",
        "    static_cast<void>(lane_->commit());\n    forget_heads(group);\n"
        "    env_.metrics.rolled_back")],
        ["flow", "property"]),
    Mutation("complete-before-the-outbound-acknowledgement", ROUTE, [(
        "    report_.redelivered += events;\n  }\n",
        "    report_.redelivered += events;\n  }\n"
        "  for (const OutboundLoad::Item& item : round->load->items()) {\n"
        "    around_.completion.add(item.delivery, 0);\n"
        "  }\n"
        "  ignore_status(around_.completion.flush(), \"too early\");\n")],
        ["flow", "property"]),
    Mutation("resolve-by-time-out", WRITER, [(
        "          ignore_status(env_.storage.fence(token), \"only makes the next answer come sooner\");",
        "          return CommitOutcome::aborted;"), (
        "    if (env_.give_up.load() || steady_clock::now() + pause > deadline) return std::nullopt;",
        "    if (env_.give_up.load() || steady_clock::now() + pause > deadline) {\n"
        "      return CommitOutcome::aborted;\n"
        "    }")],
        ["flow", "property"]),
    Mutation("signal-dropped-by-time-out", "host/saga/src/signal_book.cpp", [(
        "    if (verdicts[i] != Verdict::in_progress) {",
        "    if (waiting->second.pause > kFirstQuestion * 2) {\n"
        "      settle(tokens[i], waiting->second, Verdict::aborted);\n"
        "      continue;\n"
        "    }\n"
        "    if (verdicts[i] != Verdict::in_progress) {")],
        ["saga", "flow", "property"]),
    Mutation("publish-what-is-not-committed", "sdk/testkit/src/memory_staging.cpp", [(
        "    row.records.push_back(record);\n",
        "    row.records.push_back(record);\n"
        "    database_.ledger[row.delivery.id.number] = row;\n"
        "    database_.undelivered.insert(row.delivery.id.number);\n")],
        ["storage", "flow", "property"]),
    Mutation("ledger-out-of-order", ROUTE, [(
        "  if (messages.empty()) return;\n",
        "  if (messages.empty()) return;\n"
        "  std::reverse(messages.begin(), messages.end());\n")],
        ["flow", "property"]),
    Mutation("head-cache-never-invalidated", WRITER, [(
        "ticket.lost_races > 0 ? std::nullopt : env_.heads.find(write.partition, write.stream)",
        "env_.heads.find(write.partition, write.stream)"), (
        "    for (const Write& write : append.writes) env_.heads.erase(write.partition, write.stream);\n",
        "    static_cast<void>(append);\n"), (
        "      env_.heads.erase(write.partition, write.stream);\n",
        "      static_cast<void>(write);\n")],
        ["append", "flow", "property"]),
    Mutation("heads-of-a-lost-database", "host/append/src/head_caches.h", [(
        "if (generation == generation_.load()) part.heads",
        "static_cast<void>(generation);\n    part.heads")],
        ["append"]),
    Mutation("two-lanes-write-one-partition", "host/append/src/append_queue.cpp", [(
        "  return slot.holders == 0 || now - slot.held_since >= patience_;",
        "  return now >= slot.held_since;")],
        ["append"]),
    Mutation("memory-gives-other-versions", "host/saga/src/written_events.cpp", [(
        "Version{version++}", "Version{++version}")],
        ["saga", "flow"]),
    Mutation("cursor-past-an-open-transaction", "sdk/testkit/src/memory_reader.cpp", [(
        "  return FeedPage{cursor_at(next), next == end};",
        "  std::uint64_t open = 0;\n"
        "  for (const auto& [lane, session] : database.sessions) {\n"
        "    if (session->open) open += session->open->records.size();\n"
        "  }\n"
        "  return FeedPage{cursor_at(next + open), next == end};")],
        ["storage", "property"]),
    Mutation("cursor-past-an-open-transaction-sqlite", "plugins/storage-sqlite/src/feed.cpp", [(
        "    return FeedPage{cursor_at(place), place >= end};",
        "    return FeedPage{cursor_at(place >= end ? place + 1 : place), place >= end};")],
        ["storage_sqlite", "storage"]),
    Mutation("idempotency-key-not-compared", "host/append/src/key_gate.cpp", [(
        "if (entry->second.digest == idempotency.digest && wait_.count() > 0) {",
        "if (wait_.count() > 0) {")],
        ["append", "flow"]),
    Mutation("stored-key-not-compared", "sdk/testkit/src/memory_staging.cpp", [(
        "  if (row.digest != append.idempotency->digest) return outcome(StageOutcome::key_reused);\n",
        "")],
        ["flow", "storage"]),
    Mutation("lost-signal-is-a-lost-event", SAGA, [(
        "      for (const auto& route : deliveries_) route->mark_due(Partition{i});\n", "")],
        ["flow", "property"]),
    Mutation("complete-when-one-route-has-it", COMPLETION, [(
        "  if (others + 1 < routes_) {", "  if (others + 2 < routes_) {")],
        ["flow", "property"]),
    Mutation("progress-of-a-route-falls-back", "host/saga/src/route_progress.h", [(
        "    reached = std::max(reached, delivery.token.batch);", "    reached = delivery.token.batch;")],
        ["flow"]),
    Mutation("refused-event-is-not-kept", LETTERS, [(
        "  Status written = refused.empty() ? Status() : letters_.refuse(values_of(refused));",
        "  Status written;")],
        ["flow", "property"]),
    Mutation("what-waits-behind-is-not-kept", LETTERS, [(
        "  if (written.ok()) written = letters_.wait_behind(values_of(behind));\n", "")],
        ["flow"]),
    Mutation("a-neighbours-conflict-fails-the-group", WRITER, [(
        "    finish(group.tickets[i], answer_of(group.appends[i], result, staged.token));\n  }\n"
        "  if (!again.empty())",
        "    finish(group.tickets[i], answer_of(group.appends[i], staged.results[0], staged.token));\n"
        "  }\n  if (!again.empty())")],
        ["flow", "property"]),
    Mutation("unknown-commit-is-called-failed", WRITER, [(
        "      return answer_uncommitted(group, *staged, AppendCode::commit_unknown, committed.reason);",
        "      return answer_uncommitted(group, *staged, AppendCode::storage_unavailable,\n"
        "                                committed.reason);")],
        ["flow", "property"]),
    Mutation("marks-are-forgotten-when-they-can-not-be-written", COMPLETION, [(
        "  if (!marked.ok()) return marked.with_context(\"mark events delivered\");",
        "  if (!marked.ok()) {\n    unmarked_.clear();\n    return {};\n  }")],
        ["flow", "property"]),
    Mutation("replay-overtakes-what-is-undelivered", "host/replay/src/earlier_deliveries.cpp", [(
        "  done_ = !first->has_value() || **first > *last_;\n  return done_;",
        "  return done_ = true;")],
        ["replay"]),
    Mutation("replay-passes-a-dead-letter", "host/replay/src/run.cpp", [(
        "  return letter != letters_.end() && event.version >= letter->second;",
        "  return letter != letters_.end() && event.version == letter->second;")],
        ["replay"]),
    Mutation("replay-forgets-what-was-not-acknowledged", "host/replay/src/run.cpp", [(
        "        left.push_back(std::move(outgoing->events[i]));\n", "")],
        ["replay"]),
    Mutation("a-host-takes-more-than-its-share", "host/saga/src/members.cpp", [(
        "  if (mine < share_) return true;", "  if (mine <= share_) return true;")],
        ["saga"]),
    Mutation("a-host-keeps-what-others-should-have", "host/saga/src/members.cpp", [(
        "  if (alone() || mine <= share_) return 0;\n"
        "  return std::min(mine - share_, wanted_by_others_);",
        "  static_cast<void>(mine);\n  return 0;")],
        ["saga"]),
    Mutation("erased-metadata-stays", "sdk/testkit/src/memory_erasures.cpp", [(
        "  tombstone->event.metadata = erasure.metadata;\n", "  static_cast<void>(erasure);\n")],
        ["storage", "http"]),
    Mutation("the-ledger-keeps-erased-data", "sdk/testkit/src/memory_erasures.cpp", [(
        "      std::ranges::replace(row->second.records, kept, tombstone);\n", "")],
        ["storage", "flow"]),
    Mutation("a-demand-is-not-looked-at", "sdk/staging/src/group_plan.cpp", [(
        "    if (!demand.expected.met_by(actual)) {\n"
        "      return outcome(StageOutcome::wrong_version, append.writes.size() + i, actual);",
        "    if (actual.value == ~0ULL) {\n"
        "      return outcome(StageOutcome::wrong_version, append.writes.size() + i, actual);")],
        ["staging", "storage"]),
]
