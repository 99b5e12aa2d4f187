// Stager: puts one group of appends into an open transaction. Each append is first judged, in
// order, against the database and the appends before it in the group; then all rows that are to be
// written are inserted sorted by (partition, stream, version), so that a delivery is one range of
// `seq`. Lives for one group; one thread.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "vouch/storage.h"
#include "write_statements.h"

namespace vouch::sqlite {

/// Which event ids are looked up before they are inserted. A retry repeats a whole append, so the
/// first of each write tells; the unique key refuses whatever slips through, and the group is then
/// judged again with `all`.
enum class IdCheck : std::uint8_t { first_of_write, all };

class Stager {
 public:
  /// `appends` must outlive it.
  Stager(WriteStatements& sql, std::span<const Append> appends, const Token& token, Timestamp now,
         IdCheck check);

  /// Pre: the appends are well formed. Throws SqlError; SQLITE_CONSTRAINT_UNIQUE means that an id
  /// which was not looked up is taken.
  StagedGroup run();

 private:
  struct Row {
    std::uint32_t partition;
    std::string_view stream;
    std::uint64_t version;
    const NewEvent* event;
  };
  /// Where an event is stored: committed at `seq`, or in this group.
  struct Place {
    std::string stream;
    Version version;
    std::optional<std::uint64_t> seq;
    bool same_content = false;  ///< type, content type and data
  };
  struct IdHash {
    std::size_t operator()(const EventId& id) const;
  };
  struct Own {
    std::string_view stream;
    Version version;
    const NewEvent* event;
  };

  StageResult judge(const Append& append, std::size_t index);
  std::optional<StageResult> known_key(const Append& append, std::size_t index);
  std::optional<StageResult> known_ids(const Append& append, std::size_t index);
  bool any_id_stored(const Append& append);
  std::optional<StageResult> draw_versions(const Append& append, StageResult& result);
  std::optional<StageResult> refused_precondition(const Append& append);
  void accept(const Append& append, std::size_t index, const StageResult& result);

  std::optional<Place> find(const NewEvent& event);
  void add_first_time(std::uint64_t seq, StageResult& result);
  Version committed_head(std::string_view stream);
  [[nodiscard]] std::optional<Version> own_head(std::string_view stream) const;

  void insert_rows(std::vector<Delivery>& deliveries);
  void insert_delivery(std::uint32_t partition, std::uint64_t first, std::uint64_t last,
                       std::vector<Delivery>& deliveries);
  void tell_deliveries(StagedGroup& group);
  void keep_keys(StagedGroup& group);

  WriteStatements& sql_;
  std::span<const Append> appends_;
  Token token_;
  Timestamp now_;
  IdCheck check_;

  std::unordered_map<std::string_view, Version> committed_heads_;
  std::unordered_map<std::string_view, Version> own_heads_;
  std::unordered_map<EventId, Own, IdHash> own_ids_;
  std::map<std::pair<std::string_view, std::string_view>, std::size_t> own_keys_;
  std::vector<Row> rows_;
  /// The range of `seq` that add_first_time found last for the append at hand.
  std::pair<std::uint64_t, std::uint64_t> found_range_{1, 0};
  /// (result, partition): its delivery is told once its number is drawn.
  std::vector<std::pair<std::size_t, std::uint32_t>> wanted_;
  /// (result, earlier one of the group with the same key): copied at the end.
  std::vector<std::pair<std::size_t, std::size_t>> repeats_;
};

}  // namespace vouch::sqlite
