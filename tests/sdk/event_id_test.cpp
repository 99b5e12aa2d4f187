// EventId against the vectors that segmentio/ksuid publishes (README.md, ksuid_test.go).
#include "vouch/event_id.h"

#include <catch2/catch.hpp>

namespace vouch {
namespace {

std::string hex(const EventId& id) {
  std::string text;
  for (const std::uint8_t byte : id.bytes) {
    text.push_back("0123456789ABCDEF"[byte >> 4U]);
    text.push_back("0123456789ABCDEF"[byte & 0xfU]);
  }
  return text;
}

struct Vector {
  const char* text;
  const char* raw;
  std::int64_t time;  // seconds since the KSUID epoch
};

constexpr Vector kPublished[] = {
    {"0ujtsYcgvSTl8PAuAdqWYSMnLOv", "0669F7EFB5A1CD34B5F99D1154FB6853345C9735", 107608047},
    {"0ujzPyRiIAffKhBux4PvQdDqMHY", "066A029C73FC1AA3B2446246D6E89FCD909E8FE8", 107610780},
    {"0uk1Hbc9dQ9pxyTqJ93IUrfhdGq", "066A06349850EEEC191BF4FF26F99315CE43B0C8", 107611700},
    {"0uk1HdCJ6hUZKDgcxhpJwUl5ZEI", "066A0634CC55072555316F45B8CA2D2979D3ED0A", 107611700},
    {"0uk1HcdvF0p8C20KtTfdRSB9XIm", "066A0634BA1C205D6177F0992D15EE606AE32238", 107611700},
    {"0uk1Ha7hGJ1Q9Xbnkt0yZgNwg3g", "066A063467517BA309EA62AE7991B27BB6F2FCAC", 107611700},
    {"000000000000000000000000000", "0000000000000000000000000000000000000000", 0},
    {"aWgEPTl1tmebfsQzFP4bxwgy80V", "FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF", 4294967295},
};

TEST_CASE("an event id reads and writes the texts that others publish") {
  for (const Vector& vector : kPublished) {
    INFO(vector.text);
    const auto id = EventId::parse(vector.text);
    REQUIRE(id);
    CHECK(hex(*id) == vector.raw);
    CHECK(id->to_string() == vector.text);
    CHECK(id->unix_seconds() == EventId::kEpochSeconds + vector.time);
  }
}

TEST_CASE("an event id refuses malformed texts") {
  for (const char* text :
       {"", "123", "0ujtsYcgvSTl8PAuAdqWYSMnLO", "0ujtsYcgvSTl8PAuAdqWYSMnLOv0",
        "0ujtsYcgvSTl8PAuAdqWYSMnLO-", "0ujtsYcgvSTl8PAuAdqWYSMnLO ", "0ujtsYcgvSTl8P_uAdqWYSMnLOv",
        "aWgEPTl1tmebfsQzFP4bxwgy80!", "\xc3\xa4jtsYcgvSTl8PAuAdqWYSMnLOv"}) {
    INFO(text);
    CHECK_FALSE(EventId::parse(text));
  }
}

TEST_CASE("an event id refuses numbers above 160 bits") {
  CHECK_FALSE(EventId::parse("aWgEPTl1tmebfsQzFP4bxwgy80W"));
  CHECK_FALSE(EventId::parse("aaaaaaaaaaaaaaaaaaaaaaaaaaa"));
  CHECK_FALSE(EventId::parse("zzzzzzzzzzzzzzzzzzzzzzzzzzz"));
}

TEST_CASE("an event id is made of exactly 20 bytes and gives them back") {
  std::string raw;
  for (int i = 0; i < 20; ++i) raw.push_back(static_cast<char>(i * 13));
  const auto id = EventId::from_bytes(raw);
  REQUIRE(id);
  CHECK(id->view() == raw);
  CHECK_FALSE(EventId::from_bytes(raw.substr(1)));
  CHECK_FALSE(EventId::from_bytes(raw + "x"));
  CHECK_FALSE(EventId::from_bytes(""));
}

TEST_CASE("event ids sort like their texts") {
  EventId previous;
  std::uint32_t state = 7;
  for (int i = 0; i < 500; ++i) {
    EventId id;
    for (std::uint8_t& byte : id.bytes) {
      state = state * 1664525U + 1013904223U;
      byte = static_cast<std::uint8_t>(state >> 24U);
    }
    REQUIRE(EventId::parse(id.to_string()) == id);
    CHECK((previous < id) == (previous.to_string() < id.to_string()));
    previous = id;
  }
}

}  // namespace
}  // namespace vouch
