// docs/hunting.md lists the fields and event types as they are. REDOUBT_ACCEPT=1 writes the lists.
#include <gtest/gtest.h>
#include <cstdlib>

#include "base/file.h"
#include "event/field.h"

namespace redoubt::query {
namespace {

constexpr size_t kDocSizeMax = size_t{1} << 20;

// "`FileName` (process, process_terminate), `Image`" of "k:FileName@process|process_terminate s:Image".
std::string written_aliases(std::string_view aliases) {
  std::string out;
  while (!aliases.empty()) {
    const size_t end = std::min(aliases.find(' '), aliases.size());
    const std::string_view alias = aliases.substr(0, end);
    aliases.remove_prefix(std::min(end + 1, aliases.size()));
    if (alias.empty()) continue;
    const size_t at = std::min(alias.find('@'), alias.size());
    out += out.empty() ? "`" : ", `";
    out += std::string(alias.substr(2, at - 2)) + "`";
    if (at == alias.size()) continue;
    std::string types(alias.substr(at + 1));
    for (size_t bar = 0; (bar = types.find('|')) != std::string::npos;) types.replace(bar, 1, ", ");
    out += " (" + types + ")";
  }
  return out;
}

std::string written_fields() {
  std::string out = "| field | type | aliases | |\n|---|---|---|---|\n";
  for (const event::FieldInfo& row : event::kFields) {
    out += "| `" + std::string(row.name) + "` | " + std::string(event::name_of(row.type)) + " | " +
           written_aliases(row.aliases) + " | " + std::string(row.help) + " |\n";
  }
  return out;
}

std::string written_types() {
  std::string out = "| event type | aliases | |\n|---|---|---|\n";
  for (const event::EventTypeInfo& row : event::kEventTypes) {
    out += "| `" + std::string(row.name) + "` | " + std::string(row.aliases) + " | " + std::string(row.help) + " |\n";
  }
  return out;
}

// `text` with what stands between the two comments of `section` replaced.
std::string with_section(const std::string& text, const std::string& section, const std::string& content) {
  const size_t start = text.find('\n', text.find("<!-- " + section + ":"));
  const size_t end = text.find("<!-- /" + section + " -->");
  CHECK(start != std::string::npos && end != std::string::npos);
  return text.substr(0, start + 1) + content + text.substr(end);
}

TEST(HuntingDoc, lists_every_field_and_event_type) {
  const std::string path = REDOUBT_SOURCE_DIR "/docs/hunting.md";
  const auto text = base::read_file(path, kDocSizeMax);
  ASSERT_TRUE(text);
  const std::string wanted = with_section(with_section(*text, "types", written_types()), "fields", written_fields());
  if (std::getenv("REDOUBT_ACCEPT") != nullptr) {
    ASSERT_TRUE(base::write_file_atomic(path, wanted, base::kPublicFile));
  }
  EXPECT_TRUE(wanted == base::read_file(path, kDocSizeMax).value_or(""))
      << "docs/hunting.md is behind the field table: run REDOUBT_ACCEPT=1 test_query_unit";
}

}  // namespace
}  // namespace redoubt::query
