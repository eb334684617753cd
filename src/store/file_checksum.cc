#include "store/file_checksum.h"

#include <fcntl.h>
#include <unistd.h>
#include <xxhash.h>
#include <memory>
#include <vector>

#include "base/file.h"

namespace redoubt::store {

namespace {

constexpr size_t kChecksumPieceBytes = size_t{1} << 20;

struct FreeState {
  void operator()(XXH3_state_t* state) const { XXH3_freeState(state); }
};

}  // namespace

Result<FileChecksum> checksum_of_file(const std::string& path, const std::function<Status()>& each) {
  return read_with_checksum(path, [&](std::string_view) { return each ? each() : Status{}; });
}

Result<FileChecksum> read_with_checksum(const std::string& path, const std::function<Status(std::string_view)>& take) {
  const base::UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd) return base::fail_errno("open " + path);
  const std::unique_ptr<XXH3_state_t, FreeState> state(XXH3_createState());
  XXH3_64bits_reset(state.get());
  std::vector<char> piece(kChecksumPieceBytes);
  FileChecksum sum;
  while (true) {
    const ssize_t size = ::read(fd.get(), piece.data(), piece.size());
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) return base::fail_errno("read " + path);
    if (size == 0) break;
    const std::string_view bytes(piece.data(), static_cast<size_t>(size));
    TRY_STATUS(take(bytes));
    XXH3_64bits_update(state.get(), bytes.data(), bytes.size());
    sum.bytes += static_cast<uint64_t>(size);
  }
  const uint64_t digest = XXH3_64bits_digest(state.get());
  sum.checksum = digest == 0 ? 1 : digest;  // 0 says that there is none
  return sum;
}

}  // namespace redoubt::store
