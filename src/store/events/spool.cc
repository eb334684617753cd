#include "store/events/spool.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <algorithm>
#include <charconv>
#include <cstring>
#include <filesystem>

#include "base/log.h"

namespace redoubt::store {

namespace {

constexpr uint32_t kSpoolMagic = 0x31505352;  // "RSP1"
constexpr size_t kSpoolHead = 16;
constexpr size_t kSpoolBodyMax = size_t{32} << 20;
constexpr size_t kSpoolFileMax = size_t{8} << 30;
constexpr size_t kSpooledNotesMax = event::kBatchEventsMax * event::kNodeFields.size();
constexpr size_t kNumberDigits = 12;
constexpr std::string_view kSpoolSuffix = ".spool";

enum class RecordKind : uint8_t { frame = 1, mark = 2, noted_frame = 3 };

template <class Number>
void put_number(std::string& out, Number number) {
  out.append(reinterpret_cast<const char*>(&number), sizeof number);
}

void put_text(std::string& out, std::string_view text) {
  put_number(out, static_cast<uint32_t>(text.size()));
  out.append(text);
}

// Bounds-checked reads at the front of a view.
template <class Number>
bool get_number(std::string_view& bytes, Number& number) {
  if (bytes.size() < sizeof number) return false;
  std::memcpy(&number, bytes.data(), sizeof number);
  bytes.remove_prefix(sizeof number);
  return true;
}

bool get_text(std::string_view& bytes, std::string& text) {
  uint32_t size = 0;
  if (!get_number(bytes, size) || size > bytes.size()) return false;
  text.assign(bytes.substr(0, size));
  bytes.remove_prefix(size);
  return true;
}

void put_notes(std::string& out, std::span<const event::Note> notes) {
  put_number(out, static_cast<uint32_t>(notes.size()));
  for (const event::Note& note : notes) {
    put_number(out, note.row);
    put_number(out, static_cast<uint16_t>(event::info(note.field).number));
    put_number(out, note.number);
  }
}

// One of a field that is not in the table any more is left out.
bool get_notes(std::string_view& bytes, std::vector<event::Note>& notes) {
  uint32_t count = 0;
  if (!get_number(bytes, count) || count > kSpooledNotesMax) return false;
  for (uint32_t i = 0; i < count; ++i) {
    event::Note note;
    uint16_t number = 0;
    if (!get_number(bytes, note.row) || !get_number(bytes, number) || !get_number(bytes, note.number)) return false;
    const auto* const field = std::find_if(event::kFields.begin(), event::kFields.end(),
                                           [&](const event::FieldInfo& row) { return row.number == number; });
    if (field == event::kFields.end()) continue;
    note.field = field->field;
    notes.push_back(note);
  }
  return std::is_sorted(notes.begin(), notes.end());
}

std::string with_head(const std::string& body) {
  std::string record;
  record.reserve(kSpoolHead + body.size());
  put_number(record, kSpoolMagic);
  put_number(record, static_cast<uint32_t>(body.size()));
  put_number(record, event::frame_checksum(body));
  record += body;
  return record;
}

bool decode_body(std::string_view body, SpoolRecord& record) {
  uint8_t kind = 0;
  std::string host_id;
  if (!get_number(body, kind) || !get_text(body, host_id)) return false;
  switch (static_cast<RecordKind>(kind)) {
    case RecordKind::frame:
    case RecordKind::noted_frame: {
      std::vector<event::Note> notes;
      if (static_cast<RecordKind>(kind) == RecordKind::noted_frame && !get_notes(body, notes)) return false;
      auto frame = event::take_record(body);
      if (!frame) return false;
      record = SpooledFrame{std::move(host_id), *std::move(frame), std::move(notes)};
      return true;
    }
    case RecordKind::mark: {
      SpooledMark mark{.host_id = std::move(host_id)};
      if (!get_text(body, mark.boot_id) || !get_number(body, mark.sequence)) return false;
      record = std::move(mark);
      return true;
    }
  }
  return false;
}

// The record at the front of `bytes`, which loses it; false where there is no whole one.
bool take_spooled(std::string_view& bytes, SpoolRecord& record) {
  std::string_view rest = bytes;
  uint32_t magic = 0;
  uint32_t size = 0;
  uint64_t checksum = 0;
  if (!get_number(rest, magic) || !get_number(rest, size) || !get_number(rest, checksum)) return false;
  if (magic != kSpoolMagic || size > kSpoolBodyMax || size > rest.size()) return false;
  const std::string_view body = rest.substr(0, size);
  if (event::frame_checksum(body) != checksum || !decode_body(body, record)) return false;
  bytes.remove_prefix(kSpoolHead + size);
  return true;
}

}  // namespace

std::string encode_spooled(const std::string& host_id, const event::Frame& frame, std::span<const event::Note> notes) {
  std::string body;
  put_number(body, notes.empty() ? RecordKind::frame : RecordKind::noted_frame);
  put_text(body, host_id);
  if (!notes.empty()) put_notes(body, notes);
  body += event::encode_record(frame);
  return with_head(body);
}

std::string encode_spooled(const SpooledMark& mark) {
  std::string body;
  put_number(body, RecordKind::mark);
  put_text(body, mark.host_id);
  put_text(body, mark.boot_id);
  put_number(body, mark.sequence);
  return with_head(body);
}

Result<SpoolScan> scan_spool(std::string_view bytes, const std::function<Status(SpoolRecord)>& each) {
  SpoolScan scan;
  const std::string_view whole = bytes;
  const std::string_view magic(reinterpret_cast<const char*>(&kSpoolMagic), sizeof kSpoolMagic);
  while (!bytes.empty()) {
    SpoolRecord record;
    if (take_spooled(bytes, record)) {
      const uint64_t end = whole.size() - bytes.size();
      TRY_STATUS(each(std::move(record)));
      scan.valid_end = end;
      continue;
    }
    // Looks for the next record; where there is none, this is the torn end.
    std::string_view ahead = bytes.substr(1);
    SpoolRecord next;
    while (true) {
      ahead.remove_prefix(std::min(ahead.find(magic), ahead.size()));
      std::string_view probe = ahead;
      if (ahead.empty() || take_spooled(probe, next)) break;
      ahead.remove_prefix(1);
    }
    if (ahead.empty()) break;
    scan.bytes_damaged += bytes.size() - ahead.size();
    bytes = ahead;
  }
  return scan;
}

std::string Spool::path_of(uint64_t number) const {
  std::string digits = std::to_string(number);
  if (digits.size() < kNumberDigits) digits.insert(0, kNumberDigits - digits.size(), '0');
  return directory_ + "/" + digits + std::string(kSpoolSuffix);
}

Result<std::vector<uint64_t>> Spool::files() const {
  std::vector<uint64_t> numbers;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(directory_, error)) {
    const std::string name = entry.path().filename().string();
    uint64_t number = 0;
    const auto [end, failed] = std::from_chars(name.data(), name.data() + name.size(), number);
    if (failed == std::errc{} && std::string_view(end) == kSpoolSuffix) numbers.push_back(number);
  }
  if (error) return fail(Errc::io, "read " + directory_ + ": " + error.message());
  std::sort(numbers.begin(), numbers.end());
  return numbers;
}

Status Spool::read(uint64_t number, Torn torn, const std::function<Status(SpoolRecord)>& each) const {
  const std::string path = path_of(number);
  TRY(const std::string bytes, base::read_file(path, kSpoolFileMax));
  TRY(const SpoolScan scan, scan_spool(bytes, each));
  if (scan.bytes_damaged > 0) {
    base::log_error("store", path + ": " + std::to_string(scan.bytes_damaged) + " bytes are damaged and were skipped");
  }
  if (scan.valid_end == bytes.size()) return {};
  const std::string what = path + ": torn end of " + std::to_string(bytes.size() - scan.valid_end) + " bytes";
  if (torn == Torn::keep) {
    base::log_warning("store", what);
    return {};
  }
  base::log_warning("store", what + " cut off");
  if (truncate(path.c_str(), static_cast<off_t>(scan.valid_end)) != 0) return base::fail_errno("cut " + path);
  return {};
}

Result<SpoolScan> Spool::scan(uint64_t number, uint64_t bytes, const std::function<Status(SpoolRecord)>& each) const {
  TRY(const std::string content, base::read_file(path_of(number), kSpoolFileMax));
  return scan_spool(std::string_view(content).substr(0, bytes), each);
}

Status Spool::remove(uint64_t number) {
  const std::string path = path_of(number);
  return unlink(path.c_str()) == 0 ? Status{} : Status(base::fail_errno("remove " + path));
}

Status Spool::refuse_if_failed() const {
  if (failure_.empty()) return {};
  return fail(Errc::io, "spool takes nothing until the next start: " + failure_);
}

Result<uint64_t> Spool::roll(uint64_t number) {
  TRY_STATUS(wait_durable(position()));
  const std::string path = path_of(number);
  base::UniqueFd fd(open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, base::kPrivateFile));
  if (!fd) return base::fail_errno("create " + path);
  TRY_STATUS(base::sync_directory(directory_));
  const std::lock_guard lock(mutex_);
  file_ = std::make_shared<base::UniqueFd>(std::move(fd));
  file_bytes_ = 0;
  return number;
}

Result<uint64_t> Spool::append(std::string_view record) {
  {
    const std::lock_guard lock(mutex_);
    TRY_STATUS(refuse_if_failed());
  }
  const Status written = base::write_all(file_->get(), record);
  const int reason = errno;
  const std::lock_guard lock(mutex_);
  if (!written) {
    // Half a record must not stand between whole ones.
    if (ftruncate(file_->get(), static_cast<off_t>(file_bytes_)) != 0 ||
        lseek(file_->get(), static_cast<off_t>(file_bytes_), SEEK_SET) < 0) {
      failure_ = "a record that was not written whole could not be cut off";
    }
    const bool full = reason == ENOSPC || reason == EDQUOT;
    return fail(full ? Errc::exhausted : Errc::io, "spool: " + written.error().message);
  }
  file_bytes_ += record.size();
  written_ += record.size();
  return written_;
}

Status Spool::wait_durable(uint64_t position) {
  std::unique_lock lock(mutex_);
  return wait_durable(position, lock, {});
}

Status Spool::wait_durable(uint64_t position, Coming& own) {
  std::unique_lock lock(mutex_);
  own.arrive();
  return wait_durable(position, lock, Clock::now() + kShareWait);
}

Status Spool::wait_durable(uint64_t position, std::unique_lock<std::mutex>& lock, Clock::time_point share_until) {
  while (durable_ < position) {
    TRY_STATUS(refuse_if_failed());
    if (syncing_) {
      synced_.wait(lock);
      continue;
    }
    // The last who comes finds nobody coming, and syncs at once.
    if (arrivals_.any_coming() && Clock::now() < share_until) {
      synced_.wait_until(lock, share_until);
      continue;
    }
    // This caller syncs for all who wait; what is written meanwhile waits for the next sync.
    syncing_ = true;
    const uint64_t target = written_;
    const auto file = file_;
    lock.unlock();
    const int result = fdatasync(file->get());
    const std::string reason = result == 0 ? "" : base::fail_errno("sync").value().message;
    lock.lock();
    syncing_ = false;
    if (result == 0) {
      durable_ = std::max(durable_, target);
    } else {
      failure_ = reason;
    }
    synced_.notify_all();
  }
  return {};
}

uint64_t Spool::position() const {
  const std::lock_guard lock(mutex_);
  return written_;
}

uint64_t Spool::bytes_in(uint64_t number) const {
  struct stat info{};
  return stat(path_of(number).c_str(), &info) == 0 ? static_cast<uint64_t>(info.st_size) : 0;
}

}  // namespace redoubt::store
