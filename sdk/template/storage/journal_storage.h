// JournalStorage: a store in memory, whose every change is an entry of one append-only file. One
// host, one lane. Thread tags as in vouch/storage.h.
#pragma once

#include <memory>

#include "core.h"
#include "journal_ledger.h"
#include "journal_reader.h"
#include "options.h"
#include "vouch/storage.h"

namespace storage_journal {

class JournalStorage final : public vouch::Storage {
 public:
  JournalStorage(Options options, vouch::HostServices& services);
  ~JournalStorage() { JournalStorage::close(); }

  vouch::Status open() override;
  vouch::Status check() override;
  vouch::Status migrate(const vouch::StoreIdentity& identity) override;
  void close() override;
  vouch::Health health() override;
  [[nodiscard]] vouch::StorageCapabilities capabilities() const override;
  [[nodiscard]] std::string guarantees() const override;
  vouch::Result<std::unique_ptr<vouch::Lane>> lane(vouch::LaneNumber number,
                                                   std::chrono::milliseconds wait) override;
  vouch::Result<std::vector<vouch::Verdict>> resolve(std::span<const vouch::Token> tokens) override;
  vouch::Status fence(const vouch::Token& token) override;
  vouch::Ledger& ledger() override { return ledger_; }
  vouch::Reader& reader() override { return reader_; }
  void* query(std::string_view /*interface_id*/) override { return nullptr; }

 private:
  const Options options_;
  const std::shared_ptr<Core> core_;
  JournalLedger ledger_;
  JournalReader reader_;
};

}  // namespace storage_journal
