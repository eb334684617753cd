// A cgroup of the version 2 hierarchy for as long as a test runs: for children that a policy or a book of losses tells
// from others.
#pragma once

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdint>
#include <functional>
#include <string>

#include "base/file.h"
#include "base/hash.h"

namespace redoubt::sensor {

class TestCgroup {
 public:
  TestCgroup() : name_("/redoubt-test-" + base::to_hex(base::random_bytes(4))) {
    root_ = "/sys/fs/cgroup";
    if (access((root_ + "/cgroup.procs").c_str(), F_OK) != 0) root_ += "/unified";
    made_ = mkdir((root_ + name_).c_str(), 0700) == 0;
  }
  ~TestCgroup() {
    for (int i = 0; made_ && i < 100 && rmdir((root_ + name_).c_str()) != 0; ++i) usleep(10'000);
  }
  TestCgroup(const TestCgroup&) = delete;
  TestCgroup& operator=(const TestCgroup&) = delete;

  bool made() const { return made_; }
  const std::string& name() const { return name_; }
  int64_t id() const {
    struct stat status{};
    stat((root_ + name_).c_str(), &status);
    return static_cast<int64_t>(status.st_ino);
  }
  // In a child: it belongs to the cgroup from here on.
  void enter() const {
    const base::UniqueFd processes(open((root_ + name_ + "/cgroup.procs").c_str(), O_WRONLY | O_CLOEXEC));
    if (write(processes.get(), "0", 1) != 1) _exit(1);
  }
  // Runs the function in a child that belongs to the cgroup from its start; its pid.
  pid_t run(const std::function<void()>& act) const {
    const pid_t pid = fork();
    if (pid != 0) {
      waitpid(pid, nullptr, 0);
      return pid;
    }
    enter();
    act();
    _exit(0);
  }

 private:
  std::string root_;
  std::string name_;
  bool made_ = false;
};

}  // namespace redoubt::sensor
