// Hostile requests as the API takes them apart: first line the target, the rest the JSON body.
#include <algorithm>
#include <cstdint>
#include <string_view>

#include "central/api/parameters.h"
#include "central/api/target.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  namespace central = redoubt::central;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const std::string_view line = text.substr(0, text.find('\n'));
  if (auto target = central::parse_target(line)) {
    central::Request request{.query = std::move(target->query)};
    (void)central::query_integer(request, "limit", {10, 1, 100});
    (void)central::only_query_keys(request, {"limit"});
  }
  const auto body =
      central::JsonBody::parse(text.substr(std::min(line.size() + 1, size)), {"query", "limit", "user", "password"});
  if (!body) return 0;
  const auto limit = body->integer("limit", {10, 1, 100});
  if (limit && (*limit < 1 || *limit > 100)) __builtin_trap();
  const auto query = body->text("query", {.bytes_min = 1, .bytes_max = 64});
  if (query && query->size() > 64) __builtin_trap();
  (void)body->optional_text("user", {});
  return 0;
}
