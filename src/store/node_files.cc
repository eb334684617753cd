#include "store/node_files.h"

#include <sys/stat.h>
#include <unistd.h>

namespace redoubt::store {

namespace {

constexpr int64_t kToolWaitMs = 0;

Result<base::UniqueFd> refuse_half(const NodeFiles& files, base::UniqueFd lock) {
  if (access(files.unfinished_restore().c_str(), F_OK) != 0) return lock;
  return fail(Errc::unavailable, "data directory " + files.directory +
                                     ": a restore into it was broken off; run `redoubt store restore` again");
}

}  // namespace

Result<base::UniqueFd> lock_directory(const NodeFiles& files) {
  auto lock = base::lock_file(files.lock(), base::kTakeoverMs);
  if (!lock && lock.error().code == Errc::already_exists) {
    return fail(Errc::already_exists, "data directory " + files.directory + ": another redoubtd uses it");
  }
  return std::move(lock).and_then([&](base::UniqueFd held) { return refuse_half(files, std::move(held)); });
}

Result<base::UniqueFd> lock_stopped_node(const NodeFiles& files) {
  struct stat info{};
  if (stat(files.directory.c_str(), &info) != 0) return base::fail_errno("data directory " + files.directory);
  if (access(files.certificate().c_str(), F_OK) != 0) {
    return fail(Errc::not_found, "data directory " + files.directory +
                                     ": no node's (there is no server.pem); `redoubt up` keeps it in HOME/node");
  }
  if (info.st_uid != geteuid()) {
    return fail(Errc::permission_denied, "data directory " + files.directory + " belongs to user " +
                                             std::to_string(info.st_uid) +
                                             ": run this as that user, or the node could not open its files any more");
  }
  auto lock = base::lock_file(files.lock(), kToolWaitMs);
  if (!lock && lock.error().code == Errc::already_exists) {
    return fail(Errc::already_exists, "data directory " + files.directory +
                                          ": a node runs on it; leave out --data to ask that node, or stop it first");
  }
  return std::move(lock).and_then([&](base::UniqueFd held) { return refuse_half(files, std::move(held)); });
}

}  // namespace redoubt::store
