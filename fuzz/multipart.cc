// Hostile forms: the first line is a Content-Type, the rest a body. However it is cut into pieces, the parts are the
// same.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "central/api/multipart.h"

namespace {

namespace central = redoubt::central;
using redoubt::Status;

class Parts final : public central::PartSink {
 public:
  Status begin_part(const central::PartHead& head) override {
    text += "[" + head.name + "|" + head.file_name.value_or("-") + "]";
    return {};
  }
  Status part_bytes(std::string_view bytes) override {
    text += bytes;
    return {};
  }
  Status end_part() override {
    text += "[end]";
    return {};
  }
  std::string text;
};

// What a reader gives for the body in pieces, also where it ends with an error.
std::string read_in_pieces(const std::string& boundary, std::string_view body, size_t piece) {
  Parts parts;
  central::MultipartReader reader(boundary, parts);
  for (size_t at = 0; at < body.size(); at += piece) {
    if (!reader.write(body.substr(at, piece))) return "refused";
  }
  return reader.finish() ? parts.text : "cut off";
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view source = size == 0 ? "" : std::string_view(reinterpret_cast<const char*>(data), size);
  const size_t line = std::min(source.find('\n'), source.size());
  const auto boundary = central::form_boundary(source.substr(0, line));
  const std::string_view body = source.substr(std::min(line + 1, source.size()));
  const std::string delimiter = boundary ? *boundary : "b";
  const std::string whole = read_in_pieces(delimiter, body, body.size() + 1);
  for (const size_t piece : {1, 7}) {
    if (read_in_pieces(delimiter, body, piece) != whole) std::abort();
  }
  return 0;
}
