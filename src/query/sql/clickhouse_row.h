// What a row of ClickHouse's table has beside the fields, so that its SQL means what the other back ends mean: the
// store writes it with the row, the SQL back end reads it. Any thread.
//
// Fields are Nullable but for those that every stored event has: event_time, event_sequence, host_id and host_boot_id.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/time.h"
#include "event/field.h"

namespace redoubt::query::sql {

// Date: the day of an event that may be of that time; for all other events one before kLikelyDaysFrom.
constexpr std::string_view kDayColumn = "day";
constexpr int64_t kLikelyDaysFrom = 7305;  // 1990-01-01, in days since the epoch
using base::kDayUs;
constexpr int64_t kDaysMax = 65535;  // what a Date holds

// Array(UInt16), Array(String): fields (by FieldInfo::number) whose folded text is not what lower() makes of it, and
// those texts.
constexpr std::string_view kFoldFieldsColumn = "fold_fields";
constexpr std::string_view kFoldTextsColumn = "fold_texts";

// Array(String) each: the attributes, beside their JSON in `attributes`. A fold is "" where lower() makes it.
constexpr std::string_view kAttributeNamesColumn = "attribute_names";
constexpr std::string_view kAttributeValuesColumn = "attribute_values";
constexpr std::string_view kAttributeFoldsColumn = "attribute_folds";
constexpr std::string_view kAttributeKeysColumn = "attribute_keys";

// String, for each field of type ip: the field's address_key().
std::string address_key_column(event::Field field);

// Whether fold_case() makes of the text what lower() makes of it; otherwise `folded` is what it makes.
enum class Folding : uint8_t { as_lower, other };
Folding fold_beside_lower(std::string_view text, std::string& folded);

// An address as text that sorts like its number: "4" or "6" and hexadecimal digits; "" for what is none.
std::string address_key(std::string_view address);
// The keys of the addresses in a prefix are from `first` to `last`.
struct KeyRange {
  std::string first;
  std::string last;
};
KeyRange key_range(std::string_view prefix);
// The keys of IPv4 addresses of a range as they are written inside IPv6.
KeyRange mapped(const KeyRange& range);

// The day that goes into a row of an event that came in on `received_day`.
int64_t day_of_row(int64_t event_time_us, int64_t received_day);
// Days since the epoch; the clock may be before it.
int64_t day_of(int64_t time_us);
// When events of a day came in at the latest, but for those that agents kept.
int64_t received_by(int64_t day);

}  // namespace redoubt::query::sql
