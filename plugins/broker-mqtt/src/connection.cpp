#include "connection.h"

#include <algorithm>

namespace vouch::mqtt_broker {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr milliseconds kFirstPause{20};
constexpr milliseconds kLongestPause{1'000};
constexpr milliseconds kSlice{20};
/// A connection that lasted so long was a good one.
constexpr milliseconds kSteady{1'000};

/// Why a connect failed, for people. Codes: MQTT 3.1.1 section 3.2.2.3, MQTT 5.0 section 3.2.2.2.
std::string words(const mqtt::exception& error, const Options& options) {
  const int code = error.get_return_code();
  // Paho hands a refusal's reason over as the one or the other.
  const int reason = options.version5 ? std::max(error.get_reason_code(), code) : 0;
  if (reason == 0x86 || (!options.version5 && code == 4)) return "bad user name or password";
  if (reason == 0x87 || (!options.version5 && code == 5))
    return "not authorised (the user must also be allowed to write to status_topic)";
  if (reason == 0x85 || (!options.version5 && code == 2)) return "the broker refuses the client id";
  if (reason == 0x84 || (!options.version5 && code == 1)) {
    return "the broker does not speak MQTT " + std::string(options.version5 ? "5" : "3.1.1");
  }
  if (!options.version5 && code == 3) return "the broker is not available";
  if (reason >= 0x80) return mqtt::exception::reason_code_str(reason);
  std::string text = "no connection";
  if (const std::string more = error.get_message(); !more.empty()) text += " (" + more + ")";
  if (options.tls) {
    return text +
           ": is the broker up at this address, and does TLS fit (tls_ca, the certificate of the "
           "broker and the name in it)?";
  }
  return text + ": is the broker up at this address?";
}

}  // namespace

Connection::Connection(const Options& options, std::string role, HostServices& services,
                       std::function<void()> lost)
    : options_(options),
      role_(std::move(role)),
      services_(services),
      lost_(std::move(lost)),
      reconnects_([&]() -> Counter& {
        const Label labels[] = {{"connection", role_}};
        return services.metrics().counter("vouch_mqtt_reconnects_total",
                                          "Connections made after the first.", labels);
      }()),
      connected_gauge_([&]() -> Gauge& {
        const Label labels[] = {{"connection", role_}};
        return services.metrics().gauge("vouch_mqtt_connected", "1 while connected.", labels);
      }()) {}

Connection::~Connection() {
  drop();
}

mqtt::connect_options Connection::connect_options() const {
  mqtt::connect_options connect;
  connect.set_mqtt_version(options_.version5 ? MQTTVERSION_5 : MQTTVERSION_3_1_1);
  if (options_.version5) {
    connect.set_clean_start(true);
    mqtt::properties properties;
    properties.add({mqtt::property::RECEIVE_MAXIMUM, 1'000});
    connect.set_properties(properties);
  } else {
    connect.set_clean_session(true);
  }
  connect.set_keep_alive_interval(options_.keep_alive);
  connect.set_connect_timeout(options_.connect_timeout);
  // Above our own window: Paho's own limit is looked at once a second only.
  connect.set_max_inflight(static_cast<int>(options_.window) + 100);
  connect.set_automatic_reconnect(false);
  if (!options_.user.empty()) connect.set_user_name(options_.user);
  if (!options_.password.empty()) connect.set_password(options_.password);
  if (!status_topic_.empty()) {
    connect.set_will(mqtt::will_options(status_topic_, std::string("offline"), 1, true));
  }
  if (options_.tls) {
    mqtt::ssl_options tls;
    if (!options_.tls_ca.empty()) tls.set_trust_store(options_.tls_ca);
    if (!options_.tls_certificate.empty()) {
      tls.set_key_store(options_.tls_certificate);
      tls.set_private_key(options_.tls_key);
    }
    tls.set_enable_server_cert_auth(options_.tls_verify);
    tls.set_verify(options_.tls_verify);
    connect.set_ssl(std::move(tls));
  }
  return connect;
}

bool Connection::connect(const std::function<bool()>& give_up) {
  drop();
  try {
    mqtt::create_options create(options_.version5 ? MQTTVERSION_5 : MQTTVERSION_3_1_1);
    client_ = std::make_unique<mqtt::async_client>(options_.uri, options_.client_id + "-" + role_,
                                                   create, nullptr);
    broken_.store(false);
    {
      const std::lock_guard lock(mutex_);
      end_reason_.reset();
    }
    // These run on Paho's one thread, under its one lock: they only note and wake.
    client_->set_connection_lost_handler([this](const std::string&) {
      broken_.store(true);
      lost_();
    });
    client_->set_disconnected_handler([this](const mqtt::properties&, mqtt::ReasonCode reason) {
      {
        const std::lock_guard lock(mutex_);
        end_reason_ = reason;
      }
      broken_.store(true);
      lost_();
    });
    if (message_) {
      client_->set_message_callback([this](const mqtt::const_message_ptr& message) {
        if (message) message_(*message);
      });
    }
    const mqtt::token_ptr token = client_->connect(connect_options());
    const auto deadline = steady_clock::now() + options_.connect_timeout + milliseconds(500);
    while (!token->wait_for(kSlice)) {
      if (give_up()) return false;
      if (steady_clock::now() < deadline) continue;
      failed("no answer within " + std::to_string(options_.connect_timeout.count()) + " s");
      return false;
    }
    read_limits(*token);
    if (!status_topic_.empty()) client_->publish(status_topic_, "online", 6, 1, true);
  } catch (const mqtt::exception& error) {
    failed(words(error, options_));
    return false;
  }
  connected_at_ = steady_clock::now();
  connected_.store(true);
  connected_gauge_.set(1);
  if (connects_++ > 0) reconnects_.increment();
  const std::lock_guard lock(mutex_);
  problem_.clear();
  if (told_) {
    services_.logger().info("connected again", {{"broker", options_.host}, {"connection", role_}});
  }
  told_ = false;
  return true;
}

void Connection::read_limits(const mqtt::token& token) {
  limits_ = {};
  if (!options_.version5) return;
  const mqtt::connect_response response = token.get_connect_response();
  const mqtt::properties& said = response.get_properties();
  if (said.contains(mqtt::property::RECEIVE_MAXIMUM)) {
    limits_.receive_maximum = mqtt::get<std::uint16_t>(said, mqtt::property::RECEIVE_MAXIMUM);
  }
  if (said.contains(mqtt::property::MAXIMUM_PACKET_SIZE)) {
    limits_.maximum_packet = mqtt::get<std::uint32_t>(said, mqtt::property::MAXIMUM_PACKET_SIZE);
  }
}

void Connection::wait_longer() {
  pause_ = std::clamp(pause_ * 2, kFirstPause, kLongestPause);
  std::uniform_int_distribution<int> jitter(0, static_cast<int>(pause_.count()) / 4);
  next_try_ = steady_clock::now() + pause_ + milliseconds(jitter(random_));
}

void Connection::failed(const std::string& why) {
  wait_longer();
  const std::lock_guard lock(mutex_);
  if (problem_ != why || !told_) {
    services_.logger().warning("can't connect; trying again",
                               {{"broker", options_.host}, {"connection", role_}, {"reason", why}});
  }
  problem_ = why;
  told_ = true;
}

void Connection::drop() {
  if (!client_) return;
  const bool had_been = connected_.exchange(false);
  const bool stood = had_been && !broken_.load();
  if (had_been && !stood) {
    // A broker that accepts and ends connections at once is not asked at once again.
    if (steady_clock::now() - connected_at_ > kSteady) {
      pause_ = milliseconds(0);
      next_try_ = {};
    } else {
      wait_longer();
    }
  }
  try {
    client_->disable_callbacks();
    if (stood) {
      if (!status_topic_.empty()) {
        client_->publish(status_topic_, "offline", 7, 1, true)->wait_for(milliseconds(500));
      }
      client_->disconnect(100)->wait_for(milliseconds(500));
    }
  } catch (const mqtt::exception&) {
    // It is gone already, which is what was wanted.
  }
  client_.reset();
  connected_gauge_.set(0);
  if (stood) return;
  const std::lock_guard lock(mutex_);
  if (!problem_.empty()) return;
  problem_ = "the connection was lost";
  if (end_reason_ && static_cast<int>(*end_reason_) >= 0x80) {
    problem_ = "the broker ended the connection: " +
               mqtt::exception::reason_code_str(static_cast<int>(*end_reason_));
  }
  services_.logger().warning(
      "connection lost; connecting again",
      {{"broker", options_.host}, {"connection", role_}, {"reason", problem_}});
  told_ = true;
}

std::optional<mqtt::ReasonCode> Connection::end_reason() const {
  const std::lock_guard lock(mutex_);
  return end_reason_;
}

Health Connection::health() const {
  const std::lock_guard lock(mutex_);
  if (connected()) return {true, "connected to " + options_.host};
  return {false, options_.host + ": " + (problem_.empty() ? "the connection was lost" : problem_)};
}

}  // namespace vouch::mqtt_broker
