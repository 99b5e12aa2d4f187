// Rules about the host's own settings that a table can't say. Each reports through a ProblemList.
// Pure apart from that; one thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "section_reader.h"

namespace vouch::config {

void check_store(const Section& section, const Settings& values, ProblemList& problems);
void check_append(const Section& section, const AppendConfig& append, std::uint32_t partitions,
                  ProblemList& problems);
void check_delivery(const Section& section, const Settings& values, ProblemList& problems);
void check_http(const Section& section, const Settings& values, ProblemList& problems);
void check_limits(const Section& section, const Settings& values, ProblemList& problems);

/// The names under `brokers` must be usable in topics of metrics and in messages.
void check_broker_name(const Section& section, const std::string& name, ProblemList& problems);

/// Settles which broker a section means: the one it names, or the only one. Nothing can be said
/// when there are no brokers at all, which is reported elsewhere.
void settle_broker(const Section& section, const Settings& values,
                   const std::vector<std::string>& brokers, std::string& broker,
                   ProblemList& problems);

void check_validation_topic(const Section& section, const Settings& values, ProblemList& problems);
/// Names are told apart, and are fit for a log line.
void check_route_name(const Section& section, const RouteConfig& route,
                      const std::vector<RouteConfig>& before, ProblemList& problems);
void check_route(const Section& section, const Settings& values, const RouteConfig& route,
                 const ValidationConfig& validation, ProblemList& problems);

}  // namespace vouch::config
