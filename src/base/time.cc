#include "base/time.h"

#include <array>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <ctime>

namespace redoubt::base {

Time Time::now() {
  timespec spec{};
  clock_gettime(CLOCK_REALTIME, &spec);
  return Time{spec.tv_sec * kSecondUs + spec.tv_nsec / 1000};
}

namespace {

int64_t read_clock_ns(clockid_t clock) {
  timespec spec{};
  clock_gettime(clock, &spec);
  return spec.tv_sec * int64_t{1'000'000'000} + spec.tv_nsec;
}

}  // namespace

int64_t boottime_ns() { return read_clock_ns(CLOCK_BOOTTIME); }

int64_t thread_cpu_ns() { return read_clock_ns(CLOCK_THREAD_CPUTIME_ID); }

std::string format_time(Time time) {
  int64_t seconds = time.us / kSecondUs;
  int64_t fraction = time.us % kSecondUs;
  if (fraction < 0) {
    fraction += kSecondUs;
    --seconds;
  }
  const time_t unix_seconds = seconds;
  tm parts{};
  gmtime_r(&unix_seconds, &parts);
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), "%04d-%02d-%02dT%02d:%02d:%02d.%06dZ", parts.tm_year + 1900, parts.tm_mon + 1,
                parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec, static_cast<int>(fraction));
  return text.data();
}

namespace {

// Reads exactly `count` digits at the front of `text`; -1 if they are not there.
int take_digits(std::string_view& text, size_t count) {
  if (text.size() < count) return -1;
  int value = 0;
  for (size_t i = 0; i < count; ++i) {
    if (text[i] < '0' || text[i] > '9') return -1;
    value = value * 10 + (text[i] - '0');
  }
  text.remove_prefix(count);
  return value;
}

bool take(std::string_view& text, char c) {
  if (text.empty() || text.front() != c) return false;
  text.remove_prefix(1);
  return true;
}

int64_t take_fraction_us(std::string_view& text) {
  int64_t us = 0;
  int64_t scale = kSecondUs / 10;
  while (!text.empty() && text.front() >= '0' && text.front() <= '9') {
    us += (text.front() - '0') * scale;
    scale /= 10;
    text.remove_prefix(1);
  }
  return us;
}

// The offset from UTC in minutes: Z or ±hh:mm.
Result<int> take_offset(std::string_view& text) {
  if (take(text, 'Z') || take(text, 'z')) return 0;
  const int sign = take(text, '+') ? 1 : take(text, '-') ? -1 : 0;
  const int hours = sign == 0 ? -1 : take_digits(text, 2);
  const int minutes = hours < 0 || !take(text, ':') ? -1 : take_digits(text, 2);
  if (minutes < 0 || hours > 23 || minutes > 59) return fail(Errc::invalid_argument, "time offset is not Z or +hh:mm");
  return sign * (hours * 60 + minutes);
}

}  // namespace

Result<Time> parse_time(std::string_view text) {
  const auto bad = [whole = text] {
    return fail(Errc::invalid_argument, "'" + std::string(whole) + "' is not an RFC 3339 time");
  };
  tm parts{};
  const int year = take_digits(text, 4);
  const int month = year < 0 || !take(text, '-') ? -1 : take_digits(text, 2);
  const int day = month < 0 || !take(text, '-') ? -1 : take_digits(text, 2);
  if (day < 1 || day > 31 || month < 1 || month > 12) return bad();
  const std::chrono::sys_days date = std::chrono::year(year) / month / day;
  const int64_t date_us = std::chrono::microseconds(date.time_since_epoch()).count();
  if (text.empty()) return Time{date_us};

  if (!take(text, 'T') && !take(text, 't') && !take(text, ' ')) return bad();
  parts.tm_hour = take_digits(text, 2);
  parts.tm_min = take(text, ':') ? take_digits(text, 2) : -1;
  parts.tm_sec = take(text, ':') ? take_digits(text, 2) : -1;
  if (parts.tm_hour < 0 || parts.tm_hour > 23 || parts.tm_min < 0 || parts.tm_min > 59 || parts.tm_sec < 0 ||
      parts.tm_sec > 60) {
    return bad();
  }
  const int64_t fraction_us = take(text, '.') ? take_fraction_us(text) : 0;
  const auto offset_minutes = take_offset(text);
  if (!offset_minutes || !text.empty()) return bad();
  const int64_t second = (parts.tm_hour * 60 + parts.tm_min) * 60 + parts.tm_sec;
  return Time{date_us + second * kSecondUs + fraction_us - *offset_minutes * kMinuteUs};
}

Result<int64_t> parse_duration_us(std::string_view text) {
  constexpr int64_t kMaxUs = 100 * 366 * kDayUs;
  struct Unit {
    std::string_view name;
    int64_t us;
  };
  constexpr std::array<Unit, 6> kUnits{
      {{"ms", 1000}, {"s", kSecondUs}, {"m", kMinuteUs}, {"h", kHourUs}, {"d", kDayUs}, {"w", 7 * kDayUs}}};
  int64_t count = 0;
  const auto [rest, error] = std::from_chars(text.data(), text.data() + text.size(), count);
  const std::string_view suffix(rest, static_cast<size_t>(text.data() + text.size() - rest));
  if (error == std::errc{} && count >= 0) {
    for (const Unit& unit : kUnits) {
      if (suffix == unit.name && count <= kMaxUs / unit.us) return count * unit.us;
    }
  }
  return fail(Errc::invalid_argument, "'" + std::string(text) + "' is not a duration such as 90s, 15m, 24h or 30d");
}

}  // namespace redoubt::base
