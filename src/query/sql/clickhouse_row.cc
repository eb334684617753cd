#include "query/sql/clickhouse_row.h"

#include <algorithm>

#include "base/address.h"
#include "base/ascii.h"
#include "base/hash.h"
#include "base/text.h"

namespace redoubt::query::sql {

namespace {

// Events may be so old when they come in, or their host's clock so far ahead.
constexpr int64_t kLateDaysMax = 400;
constexpr int64_t kEarlyDaysMax = 1;
// What an unlikely event's day is before the day on which it came in.
constexpr int64_t kUnlikelyDaysBack = 18262;  // fifty years

constexpr std::string_view kMappedPrefix = "600000000000000000000ffff";

std::string key_of(const base::Address& address) {
  const auto size = static_cast<size_t>(address.bits / 8);
  return (address.bits == 32 ? "4" : "6") +
         base::to_hex(std::string_view(reinterpret_cast<const char*>(address.bytes.data()), size));
}

}  // namespace

std::string address_key_column(event::Field field) { return std::string(event::info(field).column) + "_key"; }

Folding fold_beside_lower(std::string_view text, std::string& folded) {
  const bool is_ascii = std::all_of(text.begin(), text.end(), [](char c) { return static_cast<signed char>(c) >= 0; });
  if (is_ascii) return Folding::as_lower;
  base::fold_case_into(text, folded);
  const bool same = std::equal(text.begin(), text.end(), folded.begin(), folded.end(),
                               [](char a, char b) { return base::lower_ascii(a) == b; });
  return same ? Folding::as_lower : Folding::other;
}

std::string address_key(std::string_view address) {
  const auto parsed = base::parse_address(address);
  return parsed ? key_of(*parsed) : "";
}

KeyRange key_range(std::string_view prefix) {
  const auto parsed = base::parse_prefix(prefix);
  if (!parsed) return {.first = "9", .last = "0"};  // nothing
  base::Address first = parsed->address;
  base::Address last = parsed->address;
  for (int bit = parsed->length; bit < parsed->address.bits; ++bit) {
    const auto mask = static_cast<unsigned char>(0x80U >> (bit % 8));
    auto& low = first.bytes[static_cast<size_t>(bit / 8)];
    auto& high = last.bytes[static_cast<size_t>(bit / 8)];
    low = static_cast<unsigned char>(low & ~mask);
    high = static_cast<unsigned char>(high | mask);
  }
  return {.first = key_of(first), .last = key_of(last)};
}

KeyRange mapped(const KeyRange& range) {
  return {.first = std::string(kMappedPrefix) + range.first.substr(1),
          .last = std::string(kMappedPrefix) + range.last.substr(1)};
}

int64_t day_of(int64_t time_us) { return time_us / kDayUs - (time_us % kDayUs < 0 ? 1 : 0); }

int64_t day_of_row(int64_t event_time_us, int64_t received_day) {
  const int64_t day = day_of(event_time_us);
  const bool likely = day >= std::max(kLikelyDaysFrom, received_day - kLateDaysMax) &&
                      day <= std::min(kDaysMax, received_day + kEarlyDaysMax);
  if (likely) return day;
  return std::clamp(received_day - kUnlikelyDaysBack, int64_t{0}, kLikelyDaysFrom - 1);
}

int64_t received_by(int64_t day) { return day < kLikelyDaysFrom ? day + kUnlikelyDaysBack : day; }

}  // namespace redoubt::query::sql
