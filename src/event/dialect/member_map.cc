#include "event/dialect/member_map.h"

#include <algorithm>
#include <charconv>

#include "base/address.h"
#include "base/text.h"
#include "base/time.h"

namespace redoubt::event::dialect {

namespace {

// Names that records bring are remembered up to here; what comes later is looked up each time.
constexpr size_t kNamesMax = 10'000;

std::optional<int64_t> integer_of(std::string_view text) {
  int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return number;
}

bool is_hash_text(std::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789abcdefABCDEF") == std::string_view::npos;
}

size_t last_separator(std::string_view path) { return path.find_last_of("/\\"); }

}  // namespace

std::optional<int64_t> time_of(std::string_view text) {
  constexpr size_t kDate = std::string_view("2026-11-22").size();
  constexpr size_t kLongest = 64;
  std::array<char, kLongest + 1> written{};
  size_t size = text.size();
  if (size > kLongest) return std::nullopt;
  std::copy(text.begin(), text.end(), written.begin());
  const bool has_zone = text.ends_with('Z') || text.find_first_of("+-", kDate) != std::string_view::npos;
  if (size > kDate && !has_zone) written[size++] = 'Z';
  const auto time = base::parse_time({written.data(), size});
  if (!time) return std::nullopt;
  return time->us;
}

bool set_value(Field field, std::string_view text, BatchBuilder& batch) {
  switch (info(field).type) {
    case FieldType::text:
    case FieldType::keyword:
    case FieldType::id: batch.set(field, text); return true;
    case FieldType::hash: {
      if (!is_hash_text(text)) return false;
      batch.set(field, base::fold_case(text));
      return true;
    }
    case FieldType::integer: {
      const auto number = integer_of(text);
      if (number) batch.set(field, *number);
      return number.has_value();
    }
    case FieldType::time: {
      const auto time = time_of(text);
      if (time) batch.set(field, *time);
      return time.has_value();
    }
    case FieldType::ip: {
      const bool is_address = base::parse_address(text).has_value();
      if (is_address) batch.set(field, base::canonical_address(text));
      return is_address;
    }
  }
  return false;
}

std::optional<Field> MemberMap::field_of(std::string_view name, EventType type) {
  Names& names = names_[static_cast<size_t>(type) % names_.size()];
  if (const auto known = names.find(name); known != names.end()) return known->second;
  std::optional<Field> found;
  for (const NamedField& meaning : fields_spelled(name)) {
    const bool ours = meaning.family == family_ || meaning.family == NameFamily::canonical;
    if (ours && (meaning.on & set_of(type)) != 0 && meaning.field != Field::attributes) {
      found = meaning.field;
      break;
    }
  }
  if (names.size() < kNamesMax) names.emplace(name, found);
  return found;
}

std::optional<Field> MemberMap::field_of(std::string_view name, const Member& member, EventType type) {
  if (member.name_number == kNoNameNumber) return field_of(name, type);
  std::vector<Known>& known = known_[static_cast<size_t>(type) % known_.size()];
  if (member.name_number >= known.size()) known.resize(member.name_number + size_t{1});
  Known& entry = known[member.name_number];
  if (!entry.looked_up) entry = {.looked_up = true, .field = field_of(name, type)};
  return entry.field;
}

void MemberMap::add(std::string_view name, const Member& member, EventType type, BatchBuilder& batch) {
  const auto field = field_of(name, member, type);
  if (field && !batch.has(*field) && set_value(*field, member.text, batch)) return;
  batch.add_attribute(name, member.text);
}

void set_last_part(std::string_view path, Field field, BatchBuilder& batch) {
  if (!batch.has(field)) batch.set(field, path.substr(last_separator(path) + 1));
}

void set_file_names(std::string_view path, BatchBuilder& batch) {
  const size_t at = last_separator(path);
  const std::string_view name = path.substr(at + 1);  // of the whole where there is none: npos + 1 is 0
  set_last_part(path, Field::file_name, batch);
  if (at != std::string_view::npos && !batch.has(Field::file_directory)) {
    batch.set(Field::file_directory, path.substr(0, at));
  }
  const size_t dot = name.rfind('.');
  if (dot != std::string_view::npos && dot > 0 && !batch.has(Field::file_extension)) {
    batch.set(Field::file_extension, name.substr(dot + 1));
  }
}

void set_derived(BatchBuilder& batch) {
  const std::string_view program = batch.text(Field::process_executable);
  const std::string_view parent = batch.text(Field::process_parent_executable);
  const std::string_view file = batch.text(Field::file_path);
  if (!program.empty()) set_last_part(program, Field::process_name, batch);
  if (!parent.empty()) set_last_part(parent, Field::process_parent_name, batch);
  if (!file.empty()) set_file_names(file, batch);
}

}  // namespace redoubt::event::dialect
