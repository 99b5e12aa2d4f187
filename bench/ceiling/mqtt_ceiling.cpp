// ceiling-mqtt: the messages that Vouch publishes, sent straight to an MQTT broker with QoS 1 and
// the window of the plugin, over one connection. No database, no HTTP. With --window 1 it measures
// a round trip. Prints one JSON object.
#include <mqtt/async_client.h>

#include <memory>
#include <stdexcept>

#include "bare_producer.h"

namespace {

using vouch::bench::BareMessage;
using vouch::bench::ProducerOptions;
using vouch::bench::Window;

/// Paho tells it of each acknowledgement, on its own thread.
class Reports final : public mqtt::iaction_listener {
 public:
  explicit Reports(Window& window) : window_(window) {}

 private:
  void on_success(const mqtt::token&) override { window_.acknowledged(); }
  void on_failure(const mqtt::token&) override { window_.refuse("a publication failed"); }

  Window& window_;
};

void measure(const ProducerOptions& options) {
  Window window(options);
  Reports reports(window);
  try {
    mqtt::create_options create(MQTTVERSION_5);
    mqtt::async_client client("tcp://" + options.broker, "vouch-ceiling", create, nullptr);
    mqtt::connect_options connect;
    connect.set_mqtt_version(MQTTVERSION_5);
    connect.set_clean_start(true);
    connect.set_max_inflight(static_cast<int>(options.window) + 100);
    client.set_connection_lost_handler(
        [&](const std::string&) { window.refuse("the connection broke"); });
    client.connect(connect)->wait();
    window.run([&](BareMessage&& message) {
      client.publish(mqtt::make_message(options.topic, std::move(message.value), 1, false), nullptr,
                     reports);
    });
    client.disconnect()->wait();
  } catch (const mqtt::exception& error) {
    throw std::runtime_error(error.what());
  }
}

}  // namespace

int main(int argc, char** argv) {
  ProducerOptions options;
  CLI::App app("Sends Vouch's messages to an MQTT broker; prints one JSON object.");
  vouch::bench::add_options(app, options);
  return vouch::bench::ceiling_main(argc, argv, app, "ceiling-mqtt", [&] { measure(options); });
}
