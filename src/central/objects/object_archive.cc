#include "central/objects/object_archive.h"

#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace redoubt::central {

namespace {

constexpr size_t kPackPieceBytes = size_t{256} << 10;

struct FreeArchive {
  void operator()(archive* writer) const { archive_write_free(writer); }
};
struct FreeEntry {
  void operator()(archive_entry* entry) const { archive_entry_free(entry); }
};
using ArchiveHandle = std::unique_ptr<archive, FreeArchive>;
using EntryHandle = std::unique_ptr<archive_entry, FreeEntry>;

Status check_archive(archive* writer, int result) {
  if (result >= ARCHIVE_WARN) return {};
  const char* why = archive_error_string(writer);
  return fail(Errc::io, std::string("pack object: ") + (why == nullptr ? "failed" : why));
}

Status write_header(archive* writer, const PackOptions& options, int64_t size) {
  const EntryHandle entry(archive_entry_new());
  archive_entry_set_pathname(entry.get(), options.entry.c_str());
  archive_entry_set_size(entry.get(), size);
  archive_entry_set_filetype(entry.get(), AE_IFREG);
  archive_entry_set_perm(entry.get(), base::kPrivateFile);
  return check_archive(writer, archive_write_header(writer, entry.get()));
}

Status copy_content(archive* writer, const base::UniqueFd& content) {
  std::string piece(kPackPieceBytes, '\0');
  for (off_t at = 0;;) {
    const ssize_t count = pread(content.get(), piece.data(), piece.size(), at);
    if (count < 0) return base::fail_errno("read object");
    if (count == 0) return {};
    if (archive_write_data(writer, piece.data(), static_cast<size_t>(count)) != count) {
      return check_archive(writer, ARCHIVE_FATAL);
    }
    at += count;
  }
}

}  // namespace

Result<PackedObject> pack_object(const base::UniqueFd& content, const PackOptions& options) {
  struct stat info{};
  if (fstat(content.get(), &info) != 0) return base::fail_errno("size of the object");
  PackedObject packed{
      .file = base::UniqueFd(::open(options.directory.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, base::kPrivateFile))};
  if (!packed.file) return base::fail_errno("pack object in " + options.directory);
  const ArchiveHandle writer(archive_write_new());
  TRY_STATUS(check_archive(writer.get(), archive_write_set_format_zip(writer.get())));
  TRY_STATUS(check_archive(writer.get(), archive_write_set_options(writer.get(), "zip:encryption=zipcrypt")));
  TRY_STATUS(check_archive(writer.get(), archive_write_set_passphrase(writer.get(), options.password.c_str())));
  TRY_STATUS(check_archive(writer.get(), archive_write_open_fd(writer.get(), packed.file.get())));
  TRY_STATUS(write_header(writer.get(), options, info.st_size));
  TRY_STATUS(copy_content(writer.get(), content));
  TRY_STATUS(check_archive(writer.get(), archive_write_close(writer.get())));
  const off_t end = lseek(packed.file.get(), 0, SEEK_END);
  if (end < 0) return base::fail_errno("size of the packed object");
  packed.bytes = static_cast<uint64_t>(end);
  return packed;
}

}  // namespace redoubt::central
