#include "scan/worker/part_sender.h"

#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cerrno>
#include <cstring>
#include <ctime>

namespace redoubt::scan {

namespace {

// The kernel bounds how many descriptors of a user are on their way; the pool takes them as fast as ClamAV is.
constexpr long kRetryNs = 2'000'000;
constexpr int kRetriesMax = 2500;

// Written through a mapping: the jail has no write() but to the log.
Result<base::UniqueFd> memory_file(std::string_view content) {
  base::UniqueFd file(memfd_create("part", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  if (!file) return base::fail_errno("memory file");
  if (ftruncate(file.get(), static_cast<off_t>(content.size())) != 0) return base::fail_errno("size of a memory file");
  void* memory = mmap(nullptr, content.size(), PROT_READ | PROT_WRITE, MAP_SHARED, file.get(), 0);
  if (memory == MAP_FAILED) return base::fail_errno("map a memory file");
  std::memcpy(memory, content.data(), content.size());
  munmap(memory, content.size());
  return file;
}

}  // namespace

Status PartSender::send(const wire::Part& part, std::optional<std::string_view> content) {
  base::UniqueFd file;
  if (content) {
    TRY(file, memory_file(*content));
  }
  const std::string packet = wire::encode(part);
  for (int tries = 0;; ++tries) {
    Status sent = wire::send_packet(socket_, packet, file.get());
    if (sent || errno != ETOOMANYREFS || tries == kRetriesMax) return sent;
    const timespec pause{0, kRetryNs};
    nanosleep(&pause, nullptr);
  }
}

}  // namespace redoubt::scan
