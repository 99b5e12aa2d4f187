#include "dead_letters.h"

#include <algorithm>

namespace vouch::sqlite {
namespace {

DeadLetter read_letter(const Rows& rows) {
  DeadLetter letter;
  letter.key = {std::string(rows.bytes(0)), std::string(rows.bytes(1))};
  letter.partition = {rows.number32(2)};
  letter.version = {rows.number(3)};
  letter.last = {rows.number(4)};
  letter.released = rows.number(5) != 0;
  if (const auto id = EventId::from_bytes(rows.bytes(6))) letter.event = *id;
  letter.topic = rows.bytes(7);
  letter.reason = rows.bytes(8);
  letter.since = {rows.integer(9)};
  letter.attempts = rows.number32(10);
  letter.revision = rows.number(11);
  return letter;
}

}  // namespace

Status SqliteDeadLetters::put(std::span<const DeadLetter> letters) {
  if (letters.empty()) return {};
  return backend_.run("keeping dead letters", [&]() -> Status {
    write(backend_, [&](WriteTransaction& transaction) {
      for (const DeadLetter& letter : letters) {
        transaction.sql().put_dead_letter.execute(
            std::string_view(letter.key.route), std::string_view(letter.key.stream),
            letter.partition.value, letter.version.value, letter.last.value,
            letter.released ? 1 : 0, Blob{letter.event.view()}, std::string_view(letter.topic),
            std::string_view(letter.reason), letter.since.micros, letter.attempts);
      }
    });
    return {};
  });
}

Result<std::vector<DeadLetter>> SqliteDeadLetters::list(std::span<const Partition> partitions,
                                                        const DeadLetterKey& after,
                                                        std::uint32_t limit) {
  using Letters = std::vector<DeadLetter>;
  return backend_.run("reading dead letters", [&]() -> Result<Letters> {
    Letters letters;
    ReaderPool::Lease session = backend_.readers.lease();
    Rows rows =
        session->dead_letters.run(std::string_view(after.route), std::string_view(after.stream));
    while (letters.size() < limit && rows.next()) {
      const bool wanted =
          partitions.empty() ||
          std::ranges::find(partitions, Partition{rows.number32(2)}) != partitions.end();
      if (wanted) letters.push_back(read_letter(rows));
    }
    return letters;
  });
}

Result<std::optional<DeadLetter>> SqliteDeadLetters::find(const DeadLetterKey& key) {
  using Found = std::optional<DeadLetter>;
  return backend_.run("reading a dead letter", [&]() -> Result<Found> {
    ReaderPool::Lease session = backend_.readers.lease();
    Rows rows = session->dead_letter.run(std::string_view(key.route), std::string_view(key.stream));
    if (!rows.next()) return Found();
    return Found(read_letter(rows));
  });
}

Result<bool> SqliteDeadLetters::replace(const DeadLetter& known, const DeadLetter& with) {
  return backend_.run("changing a dead letter", [&]() -> Result<bool> {
    bool changed = false;
    write(backend_, [&](WriteTransaction& transaction) {
      changed = transaction.sql().replace_dead_letter.execute(
                    std::string_view(known.key.route), std::string_view(known.key.stream),
                    known.revision, with.version.value, with.last.value, with.released ? 1 : 0,
                    Blob{with.event.view()}, std::string_view(with.topic),
                    std::string_view(with.reason), with.since.micros, with.attempts) == 1;
    });
    return changed;
  });
}

Result<bool> SqliteDeadLetters::remove(const DeadLetter& known) {
  return backend_.run("removing a dead letter", [&]() -> Result<bool> {
    bool changed = false;
    write(backend_, [&](WriteTransaction& transaction) {
      changed = transaction.sql().remove_dead_letter.execute(std::string_view(known.key.route),
                                                             std::string_view(known.key.stream),
                                                             known.revision) == 1;
    });
    return changed;
  });
}

}  // namespace vouch::sqlite
