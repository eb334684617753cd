// libarchive, every format and filter that needs no other program. It bids on the content itself, so that an archive
// behind another's header is found; mtree is off, since any text can be one.
#include <archive.h>
#include <archive_entry.h>
#include <locale.h>
#include <algorithm>
#include <array>
#include <vector>

#include "base/text.h"
#include "base/time.h"
#include "scan/worker/unpack/rar_reader.h"
#include "scan/worker/unpack/unpacker.h"

namespace redoubt::scan {

namespace {

using Support = int (*)(archive*);
constexpr std::array<Support, 23> kSupports = {
    archive_read_support_format_zip,     archive_read_support_format_7zip, archive_read_support_format_rar,
    archive_read_support_format_rar5,    archive_read_support_format_tar,  archive_read_support_format_cpio,
    archive_read_support_format_cab,     archive_read_support_format_lha,  archive_read_support_format_xar,
    archive_read_support_format_iso9660, archive_read_support_format_ar,   archive_read_support_format_warc,
    archive_read_support_format_raw,     archive_read_support_filter_gzip, archive_read_support_filter_bzip2,
    archive_read_support_filter_xz,      archive_read_support_filter_lzma, archive_read_support_filter_lzip,
    archive_read_support_filter_zstd,    archive_read_support_filter_lz4,  archive_read_support_filter_compress,
    archive_read_support_filter_uu,      archive_read_support_filter_rpm};

constexpr int64_t kGuessingNsMax = 5'000'000'000;
constexpr size_t kArchiveTextBytesMax = 200;

constexpr size_t kEmptyArchiveBytesMax = 128;

struct CloseArchive {
  void operator()(archive* open) const { archive_read_free(open); }
};
using ArchiveHandle = std::unique_ptr<archive, CloseArchive>;

std::string error_text(archive* open) {
  const char* text = archive_error_string(open);
  return base::escape_invalid_utf8(
      std::string_view(text == nullptr ? "unknown error" : text).substr(0, kArchiveTextBytesMax));
}

std::string name_of_entry(archive_entry* entry) {
  const char* name = archive_entry_pathname_utf8(entry);
  if (name == nullptr) name = archive_entry_pathname(entry);
  return name == nullptr ? std::string() : std::string(name);
}

// What reading one entry came to.
enum class Read { whole, cut, broken };

// Names of entries need a locale that knows UTF-8; for the rest of the worker the plain one is, and regular expressions
// of libmagic are faster in it.
class NameLocale {
 public:
  explicit NameLocale(locale_t locale) : before_(uselocale(locale)) {}
  ~NameLocale() { uselocale(before_); }
  NameLocale(const NameLocale&) = delete;
  NameLocale& operator=(const NameLocale&) = delete;

 private:
  locale_t before_;
};

class ArchiveUnpacker final : public Unpacker {
 public:
  ArchiveUnpacker(std::vector<Support> supports, locale_t locale) : supports_(std::move(supports)), locale_(locale) {}

  Unpacked unpack(const Container& container, Unpacking& to) override;

 private:
  struct Guesses;
  ArchiveHandle make() const;
  bool fits(std::string_view content, const std::string& password, Budget& budget) const;
  std::vector<std::string> passwords_for(std::string_view content, Unpacking& to) const;
  static const char* next_password(archive* open, void* guesses);

  std::vector<Support> supports_;
  locale_t locale_;  // of the whole process's life
};

// What libarchive asks for once it meets an encrypted entry; found then, not before.
struct ArchiveUnpacker::Guesses {
  const ArchiveUnpacker& unpacker;
  std::string_view content;
  Unpacking& to;
  std::vector<std::string> passwords;
  size_t next = 0;
};

// One pass over the entries of an archive.
class EntryLoop {
 public:
  EntryLoop(archive* open, Unpacking& to) : open_(open), to_(to) {}

  Unpacked run(archive_entry* first);

 private:
  void entry(archive_entry* entry);
  Read read_data(MemberBuffer& buffer, bool keeps_holes, std::string& remark);
  void note(std::string why) {
    result_.coverage = Unpacked::Coverage::part;
    if (result_.remark.empty()) result_.remark = std::move(why);
  }

  archive* open_;
  Unpacking& to_;
  Unpacked result_{Unpacked::Coverage::whole, ""};
};

ArchiveHandle ArchiveUnpacker::make() const {
  ArchiveHandle handle(archive_read_new());
  if (!handle) return nullptr;
  for (const Support support : supports_) support(handle.get());
  return handle;
}

bool open(archive* handle, std::string_view content) {
  return archive_read_open_memory(handle, content.data(), content.size()) == ARCHIVE_OK;
}

const char* ArchiveUnpacker::next_password(archive* /*open*/, void* user) {
  auto& guesses = *static_cast<Guesses*>(user);
  if (guesses.passwords.empty()) guesses.passwords = guesses.unpacker.passwords_for(guesses.content, guesses.to);
  return guesses.next < guesses.passwords.size() ? guesses.passwords[guesses.next++].c_str() : nullptr;
}

// The first encrypted entry decides: its checksum tells a password that fits from one whose check byte fits by chance.
bool ArchiveUnpacker::fits(std::string_view content, const std::string& password, Budget& budget) const {
  const ArchiveHandle handle = make();
  if (!handle || password.empty()) return false;
  archive_read_add_passphrase(handle.get(), password.c_str());
  if (!open(handle.get(), content)) return false;
  archive_entry* entry = nullptr;
  while (archive_read_next_header(handle.get(), &entry) >= ARCHIVE_WARN) {
    if (archive_entry_is_data_encrypted(entry) == 0) continue;
    const void* data = nullptr;
    size_t size = 0;
    la_int64_t offset = 0;
    int code = ARCHIVE_OK;
    while (code == ARCHIVE_OK && !budget.check_time()) {
      code = archive_read_data_block(handle.get(), &data, &size, &offset);
    }
    return code == ARCHIVE_EOF;
  }
  return false;
}

// With many candidates the check byte of ZipCrypto alone lets wrong ones pass, so each is tried by itself.
std::vector<std::string> ArchiveUnpacker::passwords_for(std::string_view content, Unpacking& to) const {
  const auto candidates = to.passwords.candidates();
  const int64_t until_ns = base::boottime_ns() + kGuessingNsMax;
  for (const std::string& password : candidates) {
    if (base::boottime_ns() > until_ns || to.budget.check_time()) break;
    if (!fits(content, password, to.budget)) continue;
    to.passwords.prefer(password);
    break;
  }
  return to.passwords.candidates();
}

Unpacked ArchiveUnpacker::unpack(const Container& container, Unpacking& to) {
  const NameLocale names(locale_);
  const ArchiveHandle handle = make();
  if (!handle) return {};
  Guesses guesses{*this, container.content, to, {}};
  archive_read_set_passphrase_callback(handle.get(), &guesses, next_password);
  if (!open(handle.get(), container.content)) return {};
  archive_entry* first = nullptr;
  const int code = archive_read_next_header(handle.get(), &first);
  const int format = archive_format(handle.get()) & ARCHIVE_FORMAT_BASE_MASK;
  const bool filtered = archive_filter_count(handle.get()) > 1;
  if (format == 0 || (format == ARCHIVE_FORMAT_RAW && !filtered)) return {};
  if (code == ARCHIVE_EOF) {
    const bool says_nothing = format == ARCHIVE_FORMAT_TAR || container.content.size() <= kEmptyArchiveBytesMax;
    return {Unpacked::Coverage::part, says_nothing ? "" : "archive: no entries can be read"};
  }
  if (code < ARCHIVE_WARN) return {Unpacked::Coverage::part, "archive: " + error_text(handle.get())};
  Unpacked result = EntryLoop(handle.get(), to).run(first);
  if (format == ARCHIVE_FORMAT_RAR_V5 && result.remark.empty() && has_encrypted_rar_files(container.content)) {
    result = {Unpacked::Coverage::part, "encrypted: cannot be opened in this format"};
  }
  return result;
}

Unpacked EntryLoop::run(archive_entry* first) {
  archive_entry* current = first;
  while (true) {
    if (auto refused = to_.budget.take_entry()) {
      note(refused->why);
      return result_;
    }
    if (archive_entry_filetype(current) == AE_IFREG || archive_entry_filetype(current) == 0) entry(current);
    const int code = archive_read_next_header(open_, &current);
    if (code == ARCHIVE_EOF) return result_;
    if (code < ARCHIVE_WARN) {
      note("archive: " + error_text(open_));
      return result_;
    }
  }
}

void EntryLoop::entry(archive_entry* entry) {
  Child child;
  child.name = name_of_entry(entry);
  const bool knows_size = archive_entry_size_is_set(entry) != 0;
  child.size_bytes = knows_size ? static_cast<uint64_t>(std::max<la_int64_t>(0, archive_entry_size(entry))) : 0;
  const bool encrypted = archive_entry_is_encrypted(entry) != 0;
  MemberBuffer buffer(to_.budget);
  // What is larger than a member may be is read without its holes: data at the end of a sparse file is still seen.
  const bool keeps_holes = child.size_bytes <= to_.budget.limits().member_bytes_max;
  const Read read = read_data(buffer, keeps_holes, child.remark);
  if (read != Read::whole && encrypted && archive_format(open_) != ARCHIVE_FORMAT_RAW) {
    const bool is_zip = (archive_format(open_) & ARCHIVE_FORMAT_BASE_MASK) == ARCHIVE_FORMAT_ZIP;
    child.remark = is_zip ? "encrypted: no password fits" : "encrypted: cannot be opened in this format";
  }
  if (read == Read::whole && !keeps_holes) {
    child.remark = "larger than a member may be: scanned without its holes";
    note(child.remark);
  }
  if (read != Read::whole) note(child.remark);
  child.content = buffer.bytes();
  if (child.remark.empty()) child.size_bytes = 0;
  const NameLocale plain(LC_GLOBAL_LOCALE);
  to_.add(child);
}

Read EntryLoop::read_data(MemberBuffer& buffer, bool keeps_holes, std::string& remark) {
  while (true) {
    const void* data = nullptr;
    size_t size = 0;
    la_int64_t offset = 0;
    const int code = archive_read_data_block(open_, &data, &size, &offset);
    if (code == ARCHIVE_EOF) return Read::whole;
    if (code < ARCHIVE_WARN) {
      remark = "damaged: " + error_text(open_);
      return Read::broken;
    }
    std::optional<Refusal> refused;
    const uint64_t at = static_cast<uint64_t>(std::max<la_int64_t>(0, offset));
    if (keeps_holes && at > buffer.size()) refused = buffer.append_zeros(at - buffer.size());
    if (!refused) refused = buffer.append({static_cast<const char*>(data), size});
    if (!refused) refused = to_.budget.check_time();
    if (!refused) continue;
    remark = refused->why + ": only the start was scanned";
    return Read::cut;
  }
}

}  // namespace

std::unique_ptr<Unpacker> open_archive_unpacker() {
  std::vector<Support> supports;
  for (const Support support : kSupports) {
    const ArchiveHandle probe(archive_read_new());
    // A warning says that it would start a program.
    if (probe && support(probe.get()) == ARCHIVE_OK) supports.push_back(support);
  }
  const locale_t locale = newlocale(LC_CTYPE_MASK, "C.UTF-8", nullptr);
  return std::make_unique<ArchiveUnpacker>(std::move(supports), locale == nullptr ? LC_GLOBAL_LOCALE : locale);
}

}  // namespace redoubt::scan
