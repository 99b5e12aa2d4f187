// The lane: stages with the help of vouch::staging, commits by one entry of the journal.
#pragma once

#include <memory>

#include "core.h"
#include "vouch/lane.h"

namespace storage_journal {

/// `session` is of `core`.
std::unique_ptr<vouch::Lane> make_lane(std::shared_ptr<Core> core,
                                       std::shared_ptr<Session> session);

}  // namespace storage_journal
