// ClientConf: a configuration of librdkafka, made of our options: what the promise needs cannot be
// overridden. One thread.
#pragma once

#include <librdkafka/rdkafka.h>

#include <memory>
#include <string>

#include "options.h"
#include "vouch/status.h"

namespace vouch::kafka {

enum class ClientKind : std::uint8_t { validation, outbound, single, consumer };

struct DestroyConf {
  void operator()(rd_kafka_conf_t* conf) const { rd_kafka_conf_destroy(conf); }
};
using ClientConf = std::unique_ptr<rd_kafka_conf_t, DestroyConf>;

/// Errors: invalid_argument with what librdkafka says of a property.
Result<ClientConf> make_conf(const Options& options, ClientKind kind);

/// Why a property may not be set; empty if it may.
std::string refusal_of_property(const std::string& name, const std::string& value);

}  // namespace vouch::kafka
