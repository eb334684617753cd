// Points in time as every module stores and prints them: microseconds since the Unix epoch, UTC.
#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace redoubt::base {

struct Time {
  int64_t us = 0;

  static Time now();
  friend auto operator<=>(Time, Time) = default;
};

constexpr int64_t kSecondUs = 1'000'000;
constexpr int64_t kMinuteUs = 60 * kSecondUs;
constexpr int64_t kHourUs = 60 * kMinuteUs;
constexpr int64_t kDayUs = 24 * kHourUs;

// "2026-11-22T04:23:04.123456Z" (RFC 3339, always UTC, six fraction digits).
std::string format_time(Time time);
// Any RFC 3339 date-time; a date alone is its midnight UTC.
Result<Time> parse_time(std::string_view text);

// "90s", "15m", "24h", "30d", "500ms" as microseconds. At most 100 years.
Result<int64_t> parse_duration_us(std::string_view text);

// Nanoseconds of CLOCK_BOOTTIME, the clock of the kernel's event stamps.
int64_t boottime_ns();

// Nanoseconds of CPU that the calling thread has used.
int64_t thread_cpu_ns();

}  // namespace redoubt::base
