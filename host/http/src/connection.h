// Connection: serves one client's requests, one after the other, in a thread of the server's pool,
// until the client goes, the server stops, or the socket is handed to the follow hub.
#pragma once

#include <Poco/Net/TCPServerConnection.h>

#include <string_view>

#include "channel.h"
#include "connection_registry.h"
#include "context.h"
#include "follow_hub.h"
#include "request_metrics.h"
#include "request_reader.h"
#include "response_writer.h"
#include "router.h"

namespace vouch::http {

/// What all connections share. [any-thread]
struct ConnectionShare {
  Context& context;
  FollowHub& hub;
  ConnectionRegistry& registry;
  RequestMetrics& metrics;
};

class Connection final : public Poco::Net::TCPServerConnection {
 public:
  Connection(const Poco::Net::StreamSocket& socket, ConnectionShare& share);
  ~Connection() override;

  void run() override;

 private:
  using TimePoint = Channel::TimePoint;

  /// Reads one request and answers it; whether the connection goes on.
  bool serve_one(TimePoint idle_deadline);
  /// The rest of `serve_one`, once the head is read.
  bool answer_request(Request& request, TimePoint deadline);
  /// The body, if the route wants it; false when the peer is gone.
  bool take_body(Request& request, const Framing& framing, TimePoint deadline);
  bool send(const Request& request, const Destination& destination, Response response,
            bool keep_alive, TimePoint started);
  bool hand_over(const Request& request, Response response);
  /// Answers with a problem and closes, so that the client gets to read it.
  bool refuse(const Problem& problem, std::string_view route, std::string_view method);

  ConnectionShare& share_;
  Channel channel_;
  RequestReader reader_;
};

}  // namespace vouch::http
