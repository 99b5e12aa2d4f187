#include "endpoints.h"

#include <algorithm>
#include <memory>
#include <string_view>

namespace vouch::kafka {
namespace {

constexpr const char* kDefaultPort = "9092";

/// A server as `bootstrap_servers` may have it: librdkafka takes PROTOCOL://HOST:PORT, and less.
Result<Address> bootstrap_address(std::string_view text) {
  text.remove_prefix(std::min(text.find_first_not_of(' '), text.size()));
  if (const auto scheme = text.find("://"); scheme != std::string_view::npos) {
    text.remove_prefix(scheme + 3);
  }
  const auto colon = text.rfind(':');
  const bool no_port = colon == std::string_view::npos || text.ends_with(']');
  return Address::parse(no_port ? std::string(text) + ":" + kDefaultPort : std::string(text));
}

class Endpoints {
 public:
  explicit Endpoints(const Redirects& redirects) : redirects_(redirects) {}

  void add(const Address& address) {
    const Redirects::Redirect* const redirect = redirects_.find(address);
    ServerEndpoint endpoint{redirect == nullptr ? address.text() : redirect->written,
                            (redirect == nullptr ? address : redirect->target).text()};
    if (std::ranges::find(all_, endpoint.address, &ServerEndpoint::address) == all_.end()) {
      all_.push_back(std::move(endpoint));
    }
  }
  std::vector<ServerEndpoint> take() { return std::move(all_); }

 private:
  const Redirects& redirects_;
  std::vector<ServerEndpoint> all_;
};

}  // namespace

Result<std::vector<ServerEndpoint>> endpoints_of(rd_kafka_t* client, const Options& options,
                                                 std::chrono::milliseconds wait) {
  Endpoints endpoints(options.redirects);
  std::string_view rest = options.bootstrap_servers;
  while (!rest.empty()) {
    const auto comma = std::min(rest.find(','), rest.size());
    const auto address = bootstrap_address(rest.substr(0, comma));
    if (!address.ok()) return address.status().with_context("bootstrap_servers");
    endpoints.add(*address);
    rest.remove_prefix(std::min(comma + 1, rest.size()));
  }
  const rd_kafka_metadata_t* raw = nullptr;
  const rd_kafka_resp_err_t error =
      rd_kafka_metadata(client, 0, nullptr, &raw, static_cast<int>(wait.count()));
  if (error != RD_KAFKA_RESP_ERR_NO_ERROR) {
    return Status(StatusCode::unavailable,
                  std::string("Kafka does not answer (") + rd_kafka_err2str(error) + ")");
  }
  const std::unique_ptr<const rd_kafka_metadata_t, void (*)(const rd_kafka_metadata_t*)> found(
      raw, rd_kafka_metadata_destroy);
  for (int i = 0; i < found->broker_cnt; ++i) {
    const rd_kafka_metadata_broker_t& broker = found->brokers[i];
    const std::string_view host(broker.host);
    const bool bare_v6 = host.find(':') != std::string_view::npos && !host.starts_with('[');
    const auto address =
        Address::parse((bare_v6 ? "[" + std::string(host) + "]" : std::string(host)) + ":" +
                       std::to_string(broker.port));
    if (!address.ok()) return address.status().with_context("what a broker told");
    endpoints.add(*address);
  }
  return endpoints.take();
}

}  // namespace vouch::kafka
