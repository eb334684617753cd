// A PostgreSQL server of its own for a test: an unprivileged process in a temporary directory, reached over a Unix
// socket there and nothing else. Stopped and removed with the object.
#pragma once

#include <dirent.h>
#include <fcntl.h>
#include <grp.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>
#include <algorithm>
#include <csignal>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "base/file.h"
#include "base/hash.h"
#include "store/state/postgres_state.h"

namespace redoubt::store {

class TestPostgres {
 public:
  // Null where the machine has no PostgreSQL.
  static std::unique_ptr<TestPostgres> start() {
    const std::string programs = find_programs();
    if (programs.empty()) return nullptr;
    auto server = std::unique_ptr<TestPostgres>(new TestPostgres(programs));
    if (!server->make_cluster() || !server->run()) return nullptr;
    return server;
  }
  ~TestPostgres() { stop(); }
  TestPostgres(const TestPostgres&) = delete;
  TestPostgres& operator=(const TestPostgres&) = delete;

  // A database that is empty.
  PostgresOptions make_database() {
    const std::string name = "test" + std::to_string(++databases_);
    EXPECT_TRUE(call({programs_ + "/createdb", "-h", dir_.path(), "-U", "redoubt", "-w", name}));
    return {.connection = "host=" + dir_.path() + " user=redoubt dbname=" + name, .password_file = dir_ / "password"};
  }
  bool run() {
    server_ = spawn({programs_ + "/postgres", "-D", dir_ / "data", "-k", dir_.path(), "-c", "listen_addresses=", "-c",
                     "fsync=off", "-c", "max_connections=40", "-c", "shared_buffers=16MB"});
    for (int i = 0; i < 400; ++i) {
      if (call({programs_ + "/pg_isready", "-q", "-h", dir_.path()})) return true;
      usleep(50'000);
    }
    return false;
  }
  // At once, as if the machine had gone.
  void stop() {
    if (server_ <= 0) return;
    kill(server_, SIGQUIT);
    waitpid(server_, nullptr, 0);
    server_ = -1;
  }

 private:
  static constexpr uid_t kNobody = 65534;

  explicit TestPostgres(std::string programs) : programs_(std::move(programs)) {}

  static std::string find_programs() {
    std::error_code absent;
    std::vector<std::string> versions;
    for (const auto& entry : std::filesystem::directory_iterator("/usr/lib/postgresql", absent)) {
      if (std::filesystem::exists(entry.path() / "bin/initdb", absent)) versions.push_back(entry.path() / "bin");
    }
    return versions.empty() ? "" : *std::max_element(versions.begin(), versions.end());
  }

  bool make_cluster() {
    const std::string password = base::to_hex(base::random_bytes(16));
    if (!base::write_file_atomic(dir_ / "password", password + "\n", base::kPrivateFile)) return false;
    if (!base::write_file_atomic(dir_ / "pgpass", "*:*:*:redoubt:" + password + "\n", base::kPrivateFile)) return false;
    if (geteuid() == 0) {
      for (const std::string& path : {dir_.path(), dir_ / "password", dir_ / "pgpass"}) {
        if (chown(path.c_str(), kNobody, kNobody) != 0) return false;
      }
    }
    return call({programs_ + "/initdb", "-D", dir_ / "data", "-U", "redoubt", "-A", "scram-sha-256",
                 "--pwfile=" + (dir_ / "password"), "--no-locale", "-E", "UTF8", "-N"});
  }

  // PostgreSQL refuses to run as root.
  pid_t spawn(const std::vector<std::string>& words) {
    const pid_t child = fork();
    if (child != 0) return child;
    const int log = open((dir_ / "log").c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
    dup2(log, STDOUT_FILENO);
    dup2(log, STDERR_FILENO);
    setenv("PGPASSFILE", (dir_ / "pgpass").c_str(), 1);
    if (geteuid() == 0 && (setgroups(0, nullptr) != 0 || setgid(kNobody) != 0 || setuid(kNobody) != 0)) _exit(1);
    if (chdir("/") != 0) _exit(1);
    std::vector<char*> argv;
    for (const std::string& word : words) argv.push_back(const_cast<char*>(word.c_str()));
    argv.push_back(nullptr);
    execv(argv[0], argv.data());
    _exit(127);
  }
  bool call(const std::vector<std::string>& words) {
    int status = -1;
    const pid_t child = spawn(words);
    return child > 0 && waitpid(child, &status, 0) == child && status == 0;
  }

  const std::string programs_;
  base::TempDir dir_;
  pid_t server_ = -1;
  int databases_ = 0;
};

}  // namespace redoubt::store
