#include "scan/worker/file_type.h"

#include <magic.h>
#include <type_traits>

#include "base/text.h"

namespace redoubt::scan {

namespace {

constexpr size_t kMagicBytesMax = size_t{64} << 10;
// Texts are searched for dozens of patterns of languages, at a millisecond for every 20 KiB: their start has to do.
constexpr size_t kTextMagicBytesMax = size_t{2} << 10;
constexpr size_t kTextSampleBytes = 1024;
constexpr size_t kRegexBytesMax = 512;

struct CloseMagic {
  void operator()(magic_t magic) const { magic_close(magic); }
};
using MagicHandle = std::unique_ptr<std::remove_pointer_t<magic_t>, CloseMagic>;

class LibMagic final : public FileTypes {
 public:
  explicit LibMagic(MagicHandle magic) : magic_(std::move(magic)) {}

  std::string mime_type(std::string_view content) override {
    const bool is_text = content.substr(0, kTextSampleBytes).find('\0') == std::string_view::npos;
    const std::string_view head = content.substr(0, is_text ? kTextMagicBytesMax : kMagicBytesMax);
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
  magic_setparam(magic.get(), MAGIC_PARAM_REGEX_MAX, &kRegexBytesMax);
  if (magic_load(magic.get(), nullptr) != 0) {
    return fail(Errc::not_found, std::string("libmagic: ") + magic_error(magic.get()));
  }
  return std::make_unique<LibMagic>(std::move(magic));
}

}  // namespace redoubt::scan
