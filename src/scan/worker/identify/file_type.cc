#include "scan/worker/identify/file_type.h"

#include "base/text.h"
#include "scan/worker/identify/text_magic.h"

namespace redoubt::scan {

namespace {

constexpr size_t kMagicBytesMax = size_t{64} << 10;
// Texts are searched for dozens of patterns of languages, byte by byte: their start has to do.
constexpr size_t kTextMagicBytesMax = size_t{2} << 10;
// Behind this only markup and JSON tell more of a text than its first lines did.
constexpr size_t kTextMagicBytesMin = 512;
constexpr size_t kTextSampleBytes = 1024;
constexpr size_t kRegexBytesMax = 512;

bool opens_json(std::string_view text) {
  const size_t first = text.find_first_not_of(" \t\r\n");
  return first != std::string_view::npos && (text[first] == '{' || text[first] == '[');
}

std::string_view head_of_text(std::string_view text) {
  text = text.substr(0, kTextMagicBytesMax);
  const bool may_be_markup = text.find('<', kTextMagicBytesMin) != std::string_view::npos;
  return may_be_markup || opens_json(text) ? text : text.substr(0, kTextMagicBytesMin);
}

class LibMagic final : public FileTypes {
 public:
  LibMagic(MagicHandle magic, std::unique_ptr<TextMagic> texts) : magic_(std::move(magic)), texts_(std::move(texts)) {}

  std::string mime_type(std::string_view content) override {
    const bool is_text = content.substr(0, kTextSampleBytes).find('\0') == std::string_view::npos;
    const std::string_view head = is_text ? head_of_text(content) : content.substr(0, kMagicBytesMax);
    magic_t few = is_text && texts_ ? texts_->tests_for(head) : nullptr;
    const char* type = magic_buffer(few != nullptr ? few : magic_.get(), head.data(), head.size());
    return type == nullptr ? std::string() : base::escape_invalid_utf8(type);
  }

 private:
  MagicHandle magic_;
  std::unique_ptr<TextMagic> texts_;
};

MagicHandle open_magic() {
  // Looking into compressed files would start other programs.
  MagicHandle magic(magic_open(MAGIC_MIME_TYPE | MAGIC_NO_CHECK_COMPRESS | MAGIC_NO_CHECK_TOKENS));
  if (magic) magic_setparam(magic.get(), MAGIC_PARAM_REGEX_MAX, &kRegexBytesMax);
  return magic;
}

}  // namespace

Result<std::unique_ptr<FileTypes>> open_file_types() {
  MagicHandle magic = open_magic();
  if (!magic) return fail(Errc::internal, "libmagic: cannot start");
  if (magic_load(magic.get(), nullptr) != 0) {
    return fail(Errc::not_found, std::string("libmagic: ") + magic_error(magic.get()));
  }
  return std::make_unique<LibMagic>(std::move(magic), open_text_magic(open_magic));
}

}  // namespace redoubt::scan
