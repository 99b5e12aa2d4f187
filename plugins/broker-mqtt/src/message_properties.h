// A message's headers as properties of MQTT 5 and back: "content-type" is the content type, the
// others are user properties by their plain names (CloudEvents' MQTT binding, section 3.1).
// Stateless.
#pragma once

#include <mqtt/properties.h>

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "vouch/broker.h"

namespace vouch::mqtt_broker {

inline constexpr std::string_view kContentType = "content-type";

inline mqtt::properties properties_of(const Message& message) {
  mqtt::properties properties;
  for (const Header& header : message.headers) {
    if (header.name == kContentType) {
      properties.add({mqtt::property::CONTENT_TYPE, std::string(header.value)});
    } else {
      properties.add(
          {mqtt::property::USER_PROPERTY, std::string(header.name), std::string(header.value)});
    }
  }
  return properties;
}

/// Bytes that they take in a packet, at most.
inline std::uint64_t properties_size(const Message& message) {
  std::uint64_t bytes = 0;
  for (const Header& header : message.headers) {
    bytes += 5 + header.name.size() + header.value.size();
  }
  return bytes;
}

inline std::vector<std::pair<std::string, std::string>> headers_of(
    const mqtt::properties& properties) {
  std::vector<std::pair<std::string, std::string>> headers;
  if (properties.contains(mqtt::property::CONTENT_TYPE)) {
    headers.emplace_back(kContentType,
                         mqtt::get<std::string>(properties, mqtt::property::CONTENT_TYPE));
  }
  for (std::size_t i = 0; i < properties.count(mqtt::property::USER_PROPERTY); ++i) {
    auto [name, value] = mqtt::get<mqtt::string_pair>(properties, mqtt::property::USER_PROPERTY, i);
    headers.emplace_back(std::move(name), std::move(value));
  }
  return headers;
}

}  // namespace vouch::mqtt_broker
