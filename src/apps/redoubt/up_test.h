// A node of `redoubt up` in a directory of its own, and commands that are run against it: for component tests.
#pragma once

#include <gtest/gtest.h>

#include <sys/wait.h>
#include <optional>
#include <string>

#include "apps/redoubt/daemon.h"
#include "base/file.h"

namespace redoubt::cli {

struct Ended {
  int exit = -1;
  std::string out;
  std::string error;
};

class UpTest : public testing::Test {
 protected:
  void TearDown() override { redoubt("down"); }

  // `words` are quoted for the shell by the caller.
  Ended redoubt(const std::string& words) {
    const std::string error_path = scratch_ / "stderr";
    const std::string command =
        REDOUBT_BUILD_DIR "/bin/redoubt " + words + " --home " + home_ + " 2>" + error_path + " </dev/null";
    FILE* pipe = popen(command.c_str(), "r");
    Ended ended;
    for (int c = fgetc(pipe); c != EOF; c = fgetc(pipe)) ended.out += static_cast<char>(c);
    ended.exit = WEXITSTATUS(pclose(pipe));
    ended.error = *base::read_file(error_path, 1 << 20);
    return ended;
  }
  // What it prints, as JSON.
  std::string up() {
    const Ended ended = redoubt("up --json --api-port 0 --link-port 0 --scanner-port 0");
    EXPECT_EQ(ended.exit, 0) << ended.error;
    return ended.out;
  }
  std::optional<pid_t> pid(const std::string& name) const { return running({name, home_}); }

  base::TempDir scratch_;
  std::string home_ = scratch_ / "home";
};

}  // namespace redoubt::cli
