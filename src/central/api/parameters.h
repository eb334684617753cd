// What a handler takes from a request, checked: members of a JSON body, values of the query string, path parameters.
// Errors are invalid_argument and name the key. Any thread.
#pragma once

#include <cstdint>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"
#include "central/api/http.h"

namespace redoubt::central {

constexpr int kJsonDepthMax = 16;

// A JSON object of which only the keys named may be there, for bodies that hold more than a few plain members.
Result<nlohmann::json> parse_json_object(std::string_view text, std::initializer_list<std::string_view> keys);
// Refuses an object with keys beside those named.
Status only_json_keys(const nlohmann::json& object, std::initializer_list<std::string_view> keys);

// A JSON object of which only the keys named may be there.
class JsonBody {
 public:
  // An empty body is an empty object.
  static Result<JsonBody> parse(std::string_view text, std::initializer_list<std::string_view> keys);
  JsonBody(JsonBody&&) noexcept;
  JsonBody& operator=(JsonBody&&) noexcept;
  ~JsonBody();

  struct TextLimits {
    size_t bytes_min = 0;
    size_t bytes_max = 256;
  };
  Result<std::string> text(std::string_view key, TextLimits limits) const;  // must be there
  Result<std::optional<std::string>> optional_text(std::string_view key, TextLimits limits) const;

  struct IntegerRange {
    int64_t fallback, min, max;
  };
  Result<int64_t> integer(std::string_view key, IntegerRange range) const;
  Result<std::optional<bool>> optional_flag(std::string_view key) const;
  // "90s", "24h"; none where the key is absent.
  Result<std::optional<int64_t>> optional_duration_us(std::string_view key) const;
  bool is_null(std::string_view key) const;  // there, and null

 private:
  struct Tree;
  explicit JsonBody(std::unique_ptr<Tree> tree);
  std::unique_ptr<Tree> tree_;
};

// The path's parameter as the number of a row; not_found (`no WHAT 'x'`) where it is none.
Result<int64_t> path_number(const Request& request, std::string_view what);
// The query string's `key` as a number.
Result<int64_t> query_integer(const Request& request, std::string_view key, JsonBody::IntegerRange range);
// Refuses a query string with keys that the route does not know.
Status only_query_keys(const Request& request, std::initializer_list<std::string_view> keys);

}  // namespace redoubt::central
