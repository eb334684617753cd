// multipart/form-data (RFC 7578, RFC 2046) read as it comes, piece by piece: hostile bytes go in, heads and contents of
// parts come out, and no more is kept than the longest delimiter and one head. Routes that take forms feed it on worker
// threads; one thread a form.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace redoubt::central {

constexpr size_t kBoundaryBytesMax = 70;  // of RFC 2046
constexpr size_t kPartsMax = 32;
constexpr size_t kPartHeadBytesMax = size_t{8} << 10;
constexpr size_t kPreambleBytesMax = size_t{4} << 10;

struct PartHead {
  std::string name;                      // hostile, as all of it
  std::optional<std::string> file_name;  // as the sender called it; never a path
};

// Hears of a form's parts in their order. An error ends the form.
class PartSink {
 public:
  virtual ~PartSink() = default;
  virtual Status begin_part(const PartHead& head) = 0;
  virtual Status part_bytes(std::string_view bytes) = 0;
  virtual Status end_part() = 0;
};

// The boundary that a Content-Type header names; invalid_argument where that is no form.
Result<std::string> form_boundary(std::string_view content_type);
// The lines of a part's head, without the empty one behind them. invalid_argument without a name.
Result<PartHead> parse_part_head(std::string_view lines);

class MultipartReader {
 public:
  // The sink outlives the reader.
  MultipartReader(const std::string& boundary, PartSink& sink) : delimiter_("\r\n--" + boundary), sink_(sink) {}

  // invalid_argument for what is no form, and whatever the sink says. Not to be called again after an error.
  Status write(std::string_view bytes);
  // The form is complete: the last delimiter was there.
  Status finish() const;

 private:
  enum class Place : uint8_t { preamble, delimiter_end, head, content, epilogue };
  enum class Step : uint8_t { done, needs_more };

  Result<Step> step();
  Result<Step> read_preamble();
  Result<Step> read_delimiter_end();
  Result<Step> read_head();
  Result<Step> read_content();
  std::string_view rest() const { return std::string_view(pending_).substr(at_); }

  const std::string delimiter_;
  PartSink& sink_;
  Place place_ = Place::preamble;
  std::string pending_ = "\r\n";  // the first delimiter may stand at the very beginning
  size_t at_ = 0;                 // what of pending_ is behind
  size_t parts_ = 0;
  size_t preamble_bytes_ = 0;
};

}  // namespace redoubt::central
