// Hunting text as anyone may type it: parsed, printed, compiled for both back ends, its diagnostic rendered.
#include <cstdint>
#include <string_view>

#include "query/hunt.h"
#include "query/match/matcher.h"
#include "query/sql/sql.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto hunt = redoubt::query::parse_hunt(text, redoubt::base::Time{1'790'000'000'000'000});
  if (!hunt) {
    (void)hunt.error().render(text);
    return 0;
  }
  (void)redoubt::query::to_text(hunt->where);
  // What is parsed is in normal form: nothing is left to refuse.
  if (!redoubt::query::normalize(hunt->where.clone())) __builtin_trap();
  if (!redoubt::query::match::Matcher::compile({&hunt->where, 1})) __builtin_trap();
  (void)redoubt::query::sql::select(*hunt, "events", redoubt::query::sql::Dialect::duckdb);
  return 0;
}
