// For tests of the back ends: random events whose values are hard to compare.
// One thread.
#pragma once

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include <re2/re2.h>

#include "event/batch.h"
#include "query/expression.h"
#include "redoubt/event.pb.h"

namespace redoubt::query::agreement {

using event::Field;
using event::FieldType;
using event::Value;

inline constexpr size_t kEvents = 100;

// Small alphabets, so that tests often hold: case pairs that are hard, wildcards of every back end, escapes.
inline constexpr std::string_view kPieces[] = {
    "a", "A",  "b", "B", "k", "K", "\u212A", "i", "I",  "\u0130", "\u0131", "ss", "ß",     "ẞ", "Σ",    "σ", "ς", "é",
    "É", "日", "𐐀", "𐐨", "%", "_", "*",      "?", "\\", "\n",     "\t",     " ",  "\\xff", "/", "\r\n", ".", "'", "\""};
inline constexpr std::string_view kAddresses[] = {"10.0.0.1", "10.0.0.2", "10.1.2.3",  "192.168.1.1",
                                                  "::1",      "fd00::1",  "fe80::a:b", "x"};
inline constexpr std::string_view kPrefixes[] = {"10.0.0.0/8", "10.0.0.0/31", "0.0.0.0/0",          "fd00::/8",
                                                 "::/0",       "10.0.0.1",    "::ffff:10.0.0.0/104"};
inline constexpr std::string_view kHashes[] = {"00ff", "abcd", "ABCD", "e3b0"};
inline constexpr std::string_view kRegexParts[] = {".",  ".*",   "^",    "$",   "[a-k]", "\\w",     "(?:ss|k)",
                                                   "a+", "\\\\", "[^a]", "\\b", "s?",    "\\x{df}", "i|b"};

inline constexpr Field kTexts[] = {Field::process_executable, Field::process_name, Field::user_name,
                                   Field::event_action};
inline constexpr Field kNumbers[] = {Field::process_pid, Field::process_parent_pid, Field::user_id};
inline constexpr Field kTimes[] = {Field::process_start, Field::process_end};
inline constexpr Field kIps[] = {Field::source_ip, Field::destination_ip};
// Some differ in case alone, or only a reader of JSON has to be careful with them.
inline constexpr std::string_view kSystems[] = {"windows", "Linux", "macos"};
inline constexpr std::string_view kChannels[] = {"Security", "system"};
inline constexpr std::string_view kAttributes[] = {"ProcessId", "ProcessID", "Access Mask", "a.b", "é\"\\", "Details"};

class Random {
 public:
  explicit Random(uint64_t seed) : engine_(seed) {}
  size_t below(size_t count) { return engine_() % count; }
  bool one_in(size_t count) { return below(count) == 0; }
  template <class T, size_t N>
  T of(const T (&values)[N]) {
    return values[below(N)];
  }

  std::string text() {
    std::string out;
    for (size_t i = below(5); i > 0; --i) out += of(kPieces);
    return out;
  }
  std::string pattern() {
    std::string out;
    for (size_t i = below(5); i > 0; --i) {
      out += one_in(2) ? of(kPieces) : one_in(2) ? kAnyRunUtf8 : kAnyOneUtf8;
    }
    return out;
  }
  std::string regex() {
    std::string out;
    for (size_t i = 1 + below(4); i > 0; --i)
      out += one_in(2) ? re2::RE2::QuoteMeta(std::string(of(kPieces))) : std::string(of(kRegexParts));
    return out;
  }

 private:
  std::mt19937_64 engine_;
};

// Numbers as logs write them, and what only looks like one.
inline constexpr std::string_view kDigits[] = {"0", "1", "-1", "2", "02", "1.0", "0x1", "", "-", "99999999999999999999",
                                               " 1"};

inline void set_text(v1::Event& event, Field field, std::string text) {
  const auto* descriptor = v1::Event::descriptor()->FindFieldByNumber(event::info(field).number);
  event.GetReflection()->SetString(&event, descriptor, std::move(text));
}

inline void set_number(v1::Event& event, Field field, int64_t number) {
  const auto* descriptor = v1::Event::descriptor()->FindFieldByNumber(event::info(field).number);
  event.GetReflection()->SetInt64(&event, descriptor, number);
}

inline std::string random_attribute_value(Random& random) {
  switch (random.below(4)) {
    case 0: return std::string(random.of(kDigits));
    case 1: return std::string(random.of(kAddresses));
    default: return random.text();
  }
}

// Each batch with names in an order of its own, some of which no event has.
inline std::vector<std::string> random_names(Random& random) {
  std::vector<std::string> names(std::begin(kAttributes), std::end(kAttributes));
  for (size_t i = 0; i < 3; ++i) names.push_back("other " + std::to_string(i));
  for (size_t i = names.size() - 1; i > 0; --i) std::swap(names[i], names[random.below(i + 1)]);
  return names;
}

inline void add_attributes(Random& random, const std::vector<std::string>& names, v1::Event& event) {
  for (size_t i = 0; i < names.size(); ++i) {
    if (random.one_in(2)) continue;
    v1::Attribute& attribute = *event.add_attributes();
    attribute.set_name(static_cast<uint32_t>(i));
    attribute.set_value(random_attribute_value(random));
  }
}

// The names stand first, as in frames; protobuf would write them last.
inline event::Batch decoded(const std::vector<std::string>& names, const v1::EventBatch& wire) {
  v1::EventBatch head;
  for (const std::string& name : names) head.add_attribute_names(name);
  auto batch = event::Batch::decode(head.SerializeAsString() + wire.SerializeAsString());
  CHECK(batch.has_value());
  return *std::move(batch);
}

// Near the epoch, where times are compared as a whole; or of four hundred years around it.
inline int64_t random_time(Random& random) {
  if (random.one_in(2)) return static_cast<int64_t>(random.below(4));
  constexpr int64_t kMinuteUs = 60'000'000;
  constexpr size_t kMinutes = size_t{400} * 366 * 24 * 60;
  return (static_cast<int64_t>(random.below(kMinutes)) - static_cast<int64_t>(kMinutes / 2)) * kMinuteUs;
}

// What a batch is made of. The names of attributes are numbered in their order.
struct RandomEvents {
  std::vector<std::string> names;
  v1::EventBatch wire;

  event::Batch batch() const { return decoded(names, wire); }
};

inline RandomEvents random_events(Random& random) {
  RandomEvents made{.names = random_names(random), .wire = {}};
  v1::EventBatch& wire = made.wire;
  wire.set_schema(1);
  for (size_t i = 0; i < kEvents; ++i) {
    v1::Event& event = *wire.add_events();
    if (i > 0 && random.one_in(4)) {
      // What was seen before is where a matcher that remembers could go wrong.
      event = wire.events(static_cast<int>(random.below(i)));
      event.set_event_sequence(static_cast<int64_t>(i + 1));
      continue;
    }
    event.set_event_type(static_cast<v1::EventType>(event::kEventTypes[random.below(event::kEventTypes.size())].type));
    event.set_event_sequence(static_cast<int64_t>(i + 1));
    event.set_event_time(static_cast<int64_t>(random.below(4)));
    for (const Field field : kTexts) {
      if (!random.one_in(3)) set_text(event, field, random.text());
    }
    for (const Field field : kNumbers) {
      if (!random.one_in(3)) set_number(event, field, static_cast<int64_t>(random.below(5)) - 2);
    }
    for (const Field field : kTimes) {
      if (!random.one_in(3)) set_number(event, field, random_time(random));
    }
    for (const Field field : kIps) {
      if (!random.one_in(3)) set_text(event, field, std::string(random.of(kAddresses)));
    }
    if (!random.one_in(3)) set_text(event, Field::host_id, random.text());
    if (!random.one_in(3)) set_text(event, Field::process_hash_sha256, std::string(random.of(kHashes)));
    if (!random.one_in(3)) set_text(event, Field::host_os_family, std::string(random.of(kSystems)));
    if (!random.one_in(3)) set_text(event, Field::log_channel, std::string(random.of(kChannels)));
    if (!random.one_in(3)) set_number(event, Field::event_code, static_cast<int64_t>(random.below(3)));
    add_attributes(random, made.names, event);
  }
  return made;
}

inline uint64_t number_from_environment(const char* name, uint64_t fallback) {
  const char* text = std::getenv(name);
  return text == nullptr ? fallback : std::strtoull(text, nullptr, 10);
}

inline Random seeded_random() {
  const uint64_t seed = number_from_environment("REDOUBT_SEED", std::random_device{}());
  std::printf("REDOUBT_SEED=%llu\n", static_cast<unsigned long long>(seed));
  return Random(seed);
}

}  // namespace redoubt::query::agreement
