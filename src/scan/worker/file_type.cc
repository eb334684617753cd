#include "scan/worker/file_type.h"

#include <magic.h>
#include <type_traits>

#include "base/text.h"

namespace redoubt::scan {

namespace {

constexpr size_t kMagicBytesMax = size_t{64} << 10;
// Of a text the kind shows at its head; libmagic's patterns go over all they are given, some ten times.
constexpr size_t kMagicTextBytesMax = size_t{8} << 10;

struct CloseMagic {
  void operator()(magic_t magic) const { magic_close(magic); }
};
using MagicHandle = std::unique_ptr<std::remove_pointer_t<magic_t>, CloseMagic>;

class LibMagic final : public FileTypes {
 public:
  explicit LibMagic(MagicHandle magic) : magic_(std::move(magic)) {}

  std::string mime_type(std::string_view content) override {
    std::string_view head = content.substr(0, kMagicBytesMax);
    const std::string_view start = head.substr(0, kMagicTextBytesMax);
    if (start.find('\0') == std::string_view::npos) head = start;
    const char* type = magic_buffer(magic_.get(), head.data(), head.size());
    return type == nullptr ? std::string() : base::escape_invalid_utf8(type);
  }

 private:
  MagicHandle magic_;
};

}  // namespace

Result<std::unique_ptr<FileTypes>> open_file_types() {
  // Looking into compressed files would start other programs.
  MagicHandle magic(magic_open(MAGIC_MIME_TYPE | MAGIC_NO_CHECK_COMPRESS | MAGIC_NO_CHECK_TOKENS));
  if (!magic) return fail(Errc::internal, "libmagic: cannot start");
  if (magic_load(magic.get(), nullptr) != 0) {
    return fail(Errc::not_found, std::string("libmagic: ") + magic_error(magic.get()));
  }
  return std::make_unique<LibMagic>(std::move(magic));
}

}  // namespace redoubt::scan
