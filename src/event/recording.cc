#include "event/recording.h"

#include <fcntl.h>
#include <unistd.h>
#include <cerrno>
#include <cstring>

#include "base/file.h"
#include "event/frame.h"

namespace redoubt::event {

namespace {

constexpr size_t kReadBytes = size_t{1} << 20;
// A batch ends before it holds much more text than this: what was just read is judged while it is in the cache.
constexpr size_t kBatchTextMax = size_t{512} << 10;
constexpr size_t kFrameBytesMax = kBatchBytesMax + 4096;
constexpr std::string_view kFrameMagic = "RRF1";

std::string_view trimmed(std::string_view line) {
  constexpr std::string_view kBlank = " \t\r\n\xEF\xBB\xBF";
  const size_t start = std::min(line.find_first_not_of(kBlank), line.size());
  line.remove_prefix(start);
  return line.substr(0, line.find_last_not_of(kBlank) + 1);
}

// How deep in braces a text ends that begins outside of all.
class Braces {
 public:
  void add(std::string_view text) {
    for (const char c : text) {
      if (in_string_) {
        if (!std::exchange(escaped_, !escaped_ && c == '\\')) in_string_ = c != '"';
      } else if (c == '"') {
        in_string_ = true;
      } else if (c == '{') {
        ++depth_;
      } else if (c == '}') {
        --depth_;
      }
    }
  }
  bool closed() const { return depth_ <= 0 && !in_string_; }

 private:
  int64_t depth_ = 0;
  bool in_string_ = false;
  bool escaped_ = false;
};

}  // namespace

class Recording::Impl {
 public:
  Impl(std::string path, base::UniqueFd fd, dialect::NamedLog otherwise)
      : path_(std::move(path)), fd_(std::move(fd)), reader_(std::move(otherwise)) {}

  Result<std::optional<Batch>> next() {
    TRY_STATUS(fill(kFrameMagic.size()));
    if (!frames_.has_value()) frames_ = rest().starts_with(kFrameMagic);
    return *frames_ ? next_frame() : next_records();
  }

  RecordingTroubles troubles;

 private:
  std::string_view rest() const { return std::string_view(buffer_).substr(at_); }

  // Reads on until `bytes` are there or the file ends.
  Status fill(size_t bytes) {
    while (!ended_ && buffer_.size() - at_ < bytes) {
      buffer_.erase(0, std::exchange(at_, 0));
      const size_t had = buffer_.size();
      buffer_.resize(had + kReadBytes);
      const ssize_t got = ::read(fd_.get(), buffer_.data() + had, kReadBytes);
      buffer_.resize(had + (got > 0 ? static_cast<size_t>(got) : 0));
      if (got < 0 && errno != EINTR) return base::fail_errno("read " + path_);
      ended_ = got == 0;
    }
    return {};
  }

  Result<std::optional<Batch>> next_frame() {
    TRY_STATUS(fill(kFrameBytesMax));
    std::string_view bytes = rest();
    const size_t before = bytes.size();
    const auto frame = take_record(bytes);
    if (!frame && frame.error().code == Errc::not_found) return std::optional<Batch>();
    TRY_STATUS(base::within(path_, frame ? Status{} : Status(tl::unexpected<Error>(frame.error()))));
    at_ += before - bytes.size();
    TRY(std::string opened, open_frame(frame->payload, frame->checksum));
    TRY(Batch batch, Batch::decode(std::move(opened)));
    return std::optional<Batch>(std::move(batch));
  }

  Result<std::optional<Batch>> next_records() {
    size_t text = 0;
    while (builder_.size() < kBatchEventsMax && text < kBatchTextMax) {
      TRY(const auto record, next_record());
      if (!record) break;
      if (record->empty()) continue;
      text += record->size();
      builder_.set(Field::event_sequence, static_cast<int64_t>(++records_));
      if (const Status added = reader_.add(*record, builder_); !added) {
        builder_.drop_event();
        complain(added.error().message);
      }
    }
    // A stretch without one good record is not the end: then the batch is empty.
    if (builder_.size() == 0 && ended_ && rest().empty()) return std::optional<Batch>();
    return std::optional<Batch>(builder_.take());
  }

  void complain(const std::string& why) {
    ++troubles.records;
    if (troubles.first.size() < kRecordingTroublesKept) {
      troubles.first.push_back(path_ + ":" + std::to_string(record_line_) + ": " + why);
    }
  }

  // The next line without its end; nothing at the end of the file. The view is good until the next call.
  Result<std::optional<std::string_view>> next_line() {
    size_t searched = 0;
    for (;;) {
      const std::string_view left = rest();
      const size_t end = left.find('\n', searched);
      const bool whole = end != std::string_view::npos;
      if (whole || (ended_ && !left.empty())) {
        const std::string_view line = left.substr(0, end);
        at_ += std::min(line.size() + 1, left.size());
        ++line_;
        return std::optional<std::string_view>(line);
      }
      if (ended_) return std::optional<std::string_view>();
      searched = left.size();
      if (searched > dialect::kRecordBytesMax + kReadBytes) {
        return fail(Errc::too_large, path_ + ":" + std::to_string(line_ + 1) + ": line is longer than a record may be");
      }
      TRY_STATUS(fill(searched + 1));
    }
  }

  // One JSON object: a line, or the lines that it goes over; "" for a line that holds none. The brackets and commas of
  // an array of records are left out.
  Result<std::optional<std::string_view>> next_record() {
    TRY(const auto first, next_line());
    if (!first) return std::optional<std::string_view>();
    record_line_ = line_;
    std::string_view line = trimmed(*first);
    while (!line.empty() && (line.front() == '[' || line.front() == ',')) line = trimmed(line.substr(1));
    while (!line.empty() && (line.back() == ',' || (line.back() == ']' && line.front() != '{'))) {
      line = trimmed(line.substr(0, line.size() - 1));
    }
    if (line.empty() || line.back() == '}' || line.front() != '{') return std::optional<std::string_view>(line);
    return rest_of_record(line);
  }

  Result<std::optional<std::string_view>> rest_of_record(std::string_view start) {
    pending_ = std::string(start) + "\n";
    Braces braces;
    braces.add(start);
    while (!braces.closed() && pending_.size() <= dialect::kRecordBytesMax) {
      TRY(const auto more, next_line());
      if (!more) break;
      braces.add(*more);
      pending_ += *more;
      pending_ += '\n';
    }
    pending_.resize(pending_.rfind('}') + 1);
    return std::optional<std::string_view>(pending_);
  }

  std::string path_;
  base::UniqueFd fd_;
  dialect::Reader reader_;
  BatchBuilder builder_;
  std::optional<bool> frames_;
  std::string buffer_;
  size_t at_ = 0;
  bool ended_ = false;
  std::string pending_;
  uint64_t line_ = 0;
  uint64_t record_line_ = 0;
  uint64_t records_ = 0;
};

Recording::Recording(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Recording::Recording(Recording&&) noexcept = default;
Recording& Recording::operator=(Recording&&) noexcept = default;
Recording::~Recording() = default;

Result<Recording> Recording::open(const std::string& path, dialect::NamedLog otherwise) {
  base::UniqueFd fd(path == "-" ? dup(STDIN_FILENO) : ::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd) return base::fail_errno("open " + path);
  return Recording(std::make_unique<Impl>(path, std::move(fd), std::move(otherwise)));
}

Result<std::optional<Batch>> Recording::next() { return impl_->next(); }

const RecordingTroubles& Recording::troubles() const { return impl_->troubles; }

}  // namespace redoubt::event
