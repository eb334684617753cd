#include "link/agent/rejected_frames.h"

#include <filesystem>

#include "base/file.h"
#include "base/log.h"

namespace redoubt::link {

namespace {

constexpr std::string_view kRejectedLog = "link";

struct Kept {
  size_t files = 0;
  size_t bytes = 0;
};

Kept kept_in(const std::string& directory) {
  Kept kept;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(directory, error)) {
    const auto size = entry.file_size(error);
    ++kept.files;
    kept.bytes += error ? 0 : static_cast<size_t>(size);
  }
  return kept;
}

}  // namespace

RejectedFrames::RejectedFrames(std::string directory) : directory_(std::move(directory)) {}

void RejectedFrames::set_aside(const event::Frame& frame) const {
  const std::string record = event::encode_record(frame);
  const std::string name = frame.boot_id + "-" + std::to_string(frame.first_sequence) + ".frame";
  if (name.find('/') != std::string::npos) return;
  const Kept kept = kept_in(directory_);
  if (kept.files >= kFilesMax || kept.bytes + record.size() > kBytesMax) {
    base::log_warning(kRejectedLog, directory_ + " is full: a rejected frame is not kept");
    return;
  }
  Status written = base::make_directories(directory_);
  if (written) written = base::write_file_atomic(directory_ + "/" + name, record, base::kPrivateFile);
  if (!written) base::log_warning(kRejectedLog, written.error().message);
}

}  // namespace redoubt::link
