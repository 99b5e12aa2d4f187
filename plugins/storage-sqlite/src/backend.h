// Backend: what the plugin's objects share: settings, the writing session, the readers, marks, open
// transactions. Made by SqliteStorage, which opens and closes it. Any thread once it is open.
#pragma once

#include <atomic>
#include <cstdint>
#include <string_view>
#include <utility>

#include "errors.h"
#include "marks.h"
#include "open_tokens.h"
#include "options.h"
#include "reader_pool.h"
#include "vouch/host_services.h"
#include "writer.h"

namespace vouch::sqlite {

struct Backend {
  Backend(HostServices& host, Options settings)
      : services(host),
        options(std::move(settings)),
        readers(options),
        writer(options, marks, tokens) {}

  HostServices& services;
  const Options options;
  OpenTokens tokens;
  Marks marks;
  ReaderPool readers;
  Writer writer;
  std::atomic<std::uint32_t> partitions{0};  ///< 0 until migrated

  template <typename Body>
  auto run(std::string_view doing, Body&& body) -> decltype(body()) {
    return guarded(options.path, doing, std::forward<Body>(body));
  }

  /// Whether the ledger has a row of the batch. Throws.
  bool recorded(LaneNumber lane, BatchNumber batch) {
    ReaderPool::Lease session = readers.lease();
    return session->batch.run(lane.value, batch.value).next();
  }
};

/// One short write transaction: `body(WriteStatements&)`, then COMMIT. Throws.
template <typename Body>
void write(Backend& backend, Body&& body) {
  const auto transaction = backend.writer.begin(backend.options.busy_timeout);
  try {
    body(*transaction);
  } catch (const SqlError& error) {
    transaction->failed(error);
    throw;
  }
  const CommitReport report = transaction->commit();
  if (!report.status.ok()) throw StatusError(report.status);
}

}  // namespace vouch::sqlite
