// ClickHouse servers of its own for a test, and a ZooKeeper where they are a cluster: processes in a temporary
// directory, on free ports of 127.0.0.1. Ended and removed with the object.
#pragma once

#include <arpa/inet.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include <csignal>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "base/file.h"
#include "base/hash.h"
#include "store/events/clickhouse/options.h"
#include "store/events/clickhouse/server.h"

namespace redoubt::store {

class TestClickHouse {
 public:
  // One server; null where the machine has no ClickHouse.
  static std::unique_ptr<TestClickHouse> start_one() {
    auto test = std::unique_ptr<TestClickHouse>(new TestClickHouse());
    return !test->program_.empty() && test->add_servers(1) ? std::move(test) : nullptr;
  }
  // Two servers that each have a replica of both of two shards; null where ClickHouse, ZooKeeper or Java is missing.
  static std::unique_ptr<TestClickHouse> start_cluster() {
    auto test = std::unique_ptr<TestClickHouse>(new TestClickHouse());
    const bool runs =
        !test->program_.empty() && test->start_zookeeper() && test->add_servers(2) && test->zookeeper_answers();
    return runs ? std::move(test) : nullptr;
  }
  ~TestClickHouse() {
    for (size_t i = 0; i < servers_.size(); ++i) kill_server(i);
    end(zookeeper_);
  }
  TestClickHouse(const TestClickHouse&) = delete;
  TestClickHouse& operator=(const TestClickHouse&) = delete;

  pid_t process(size_t server) const { return servers_[server].process; }
  bool is_cluster() const { return zookeeper_ > 0; }
  // Of a store that finds nothing there.
  ClickHouseOptions fresh_options(const std::string& directory) {
    for (const std::string& database : databases()) {
      for (size_t i = 0; i < servers_.size(); ++i) EXPECT_TRUE(run(i, "DROP DATABASE IF EXISTS " + database));
    }
    return {.directory = directory,
            .servers = is_cluster() ? url(0, "r1") + " " + url(1, "r1") + "," + url(1, "r2") + " " + url(0, "r2")
                                    : url(0, "r1"),
            .cluster = is_cluster() ? "redoubt" : "",
            .user = "redoubt",
            .password_file = dir_ / "password",
            .quorum_ms_max = 3000,
            .upkeep = Upkeep::on_demand};
  }
  std::string url(size_t server, const std::string& database) const {
    return "http://127.0.0.1:" + std::to_string(servers_[server].http) + "/" + database;
  }
  // At once, as if the machine had gone.
  void kill_server(size_t server) { end(servers_[server].process); }
  bool start_server(size_t server) {
    Process& one = servers_[server];
    one.process = spawn({program_, "--config-file=" + one.directory + "/config.xml"}, one.directory + "/out");
    for (int i = 0; i < 600; ++i) {
      if (run(server, "SELECT 1")) return true;
      usleep(50'000);
    }
    return false;
  }
  std::unique_ptr<clickhouse::Server> connect(const std::string& database, size_t server = 0) {
    return clickhouse::Server::make(url(server, database), {.user = "redoubt", .password = password_}).value();
  }
  Result<std::string> run(size_t server, const std::string& sql) {
    const auto one = connect("default", server);
    return one->call({.sql = sql, .scope = clickhouse::Scope::server});
  }

 private:
  struct Process {
    std::string directory;
    int http = 0;
    int tcp = 0;
    int interserver = 0;
    pid_t process = -1;
  };

  TestClickHouse() : password_(base::to_hex(base::random_bytes(16))) {
    std::error_code absent;
    for (const char* path : {"/usr/bin/clickhouse-server", "/usr/sbin/clickhouse-server"}) {
      if (std::filesystem::exists(path, absent)) program_ = path;
    }
    EXPECT_TRUE(base::write_file_atomic(dir_ / "password", password_ + "\n", base::kPrivateFile));
  }

  static std::vector<std::string> databases() { return {"r1", "r2"}; }

  static int free_port() {
    const base::UniqueFd socket(::socket(AF_INET, SOCK_STREAM, 0));
    sockaddr_in address{.sin_family = AF_INET, .sin_port = 0, .sin_addr = {htonl(INADDR_LOOPBACK)}, .sin_zero = {}};
    socklen_t size = sizeof address;
    if (bind(socket.get(), reinterpret_cast<sockaddr*>(&address), size) != 0) return 0;
    if (getsockname(socket.get(), reinterpret_cast<sockaddr*>(&address), &size) != 0) return 0;
    return ntohs(address.sin_port);
  }

  static pid_t spawn(const std::vector<std::string>& words, const std::string& log) {
    const pid_t child = fork();
    if (child != 0) return child;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    const int out = open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
    dup2(out, STDOUT_FILENO);
    dup2(out, STDERR_FILENO);
    std::vector<char*> argv;
    for (const std::string& word : words) argv.push_back(const_cast<char*>(word.c_str()));
    argv.push_back(nullptr);
    execv(argv[0], argv.data());
    _exit(127);
  }
  static void end(pid_t& process) {
    if (process <= 0) return;
    kill(process, SIGKILL);
    waitpid(process, nullptr, 0);
    process = -1;
  }

  // It listens before it takes part: until then it hangs up.
  bool zookeeper_answers() {
    for (int i = 0; i < 600; ++i) {
      const auto found = run(0, "SELECT count() FROM system.zookeeper WHERE path = '/'");
      if (found) return true;
      usleep(50'000);
    }
    return false;
  }

  bool start_zookeeper() {
    std::string jars;
    for (const char* jar : {"zookeeper", "zookeeper-jute", "slf4j-api", "slf4j-nop", "netty-all", "metrics-core",
                            "commons-cli", "commons-io", "snappy-java"}) {
      const std::string path = "/usr/share/java/" + std::string(jar) + ".jar";
      if (!std::filesystem::exists(path)) return false;
      jars += (jars.empty() ? "" : ":") + path;
    }
    if (!std::filesystem::exists("/usr/bin/java")) return false;
    zookeeper_port_ = free_port();
    std::filesystem::create_directory(dir_ / "zookeeper");
    EXPECT_TRUE(base::write_file_atomic(dir_ / "zoo.cfg",
                                        "tickTime=500\ndataDir=" + (dir_ / "zookeeper") +
                                            "\nclientPort=" + std::to_string(zookeeper_port_) +
                                            "\nclientPortAddress=127.0.0.1\nadmin.enableServer=false\nforceSync=no\n",
                                        base::kPrivateFile));
    zookeeper_ = spawn({"/usr/bin/java", "-Xmx96m", "-XX:TieredStopAtLevel=1", "-Dzookeeper.jmx.log4j.disable=true",
                        "-cp", jars, "org.apache.zookeeper.server.quorum.QuorumPeerMain", dir_ / "zoo.cfg"},
                       dir_ / "zookeeper.log");
    for (int i = 0; i < 400; ++i) {
      if (listens(zookeeper_port_)) return true;
      usleep(50'000);
    }
    return false;
  }

  static bool listens(int port) {
    const base::UniqueFd socket(::socket(AF_INET, SOCK_STREAM, 0));
    const sockaddr_in address{.sin_family = AF_INET,
                              .sin_port = htons(static_cast<uint16_t>(port)),
                              .sin_addr = {htonl(INADDR_LOOPBACK)},
                              .sin_zero = {}};
    return ::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  }

  bool add_servers(size_t count) {
    for (size_t i = 0; i < count; ++i) {
      servers_.push_back({.directory = dir_ / ("server" + std::to_string(i)),
                          .http = free_port(),
                          .tcp = free_port(),
                          .interserver = free_port()});
    }
    for (const Process& one : servers_) {
      std::filesystem::create_directory(one.directory);
      EXPECT_TRUE(base::write_file_atomic(one.directory + "/users.xml", users(), base::kPrivateFile));
      EXPECT_TRUE(base::write_file_atomic(one.directory + "/config.xml", config(one), base::kPrivateFile));
    }
    for (size_t i = 0; i < count; ++i) {
      if (!start_server(i)) return false;
    }
    return true;
  }

  std::string users() const {
    return "<yandex><profiles><default><max_threads>2</max_threads><background_pool_size>4</background_pool_size>"
           "<background_schedule_pool_size>4</background_schedule_pool_size></default></profiles><quotas><default/></"
           "quotas><users><redoubt><password>" +
           password_ +
           "</password><networks><ip>127.0.0.1</ip></networks><profile>default</profile><quota>default</quota>"
           "</redoubt></users></yandex>";
  }
  std::string config(const Process& one) const {
    const auto tag = [](const std::string& name, const auto& value) {
      if constexpr (std::is_same_v<std::decay_t<decltype(value)>, int>) {
        return "<" + name + ">" + std::to_string(value) + "</" + name + ">";
      } else {
        return "<" + name + ">" + std::string(value) + "</" + name + ">";
      }
    };
    std::string text = "<yandex><logger>" + tag("level", "warning") + tag("log", one.directory + "/log") +
                       tag("errorlog", one.directory + "/errors") + "</logger>" + tag("http_port", one.http) +
                       tag("tcp_port", one.tcp) + tag("interserver_http_port", one.interserver) +
                       tag("interserver_http_host", "127.0.0.1") + tag("listen_host", "127.0.0.1") +
                       tag("path", one.directory + "/data/") + tag("tmp_path", one.directory + "/tmp/") +
                       tag("users_config", "users.xml") + tag("default_profile", "default") +
                       tag("default_database", "default") + tag("mark_cache_size", 33554432);
    if (zookeeper_ > 0) {
      text += "<zookeeper><node>" + tag("host", "127.0.0.1") + tag("port", zookeeper_port_) + "</node>" +
              tag("session_timeout_ms", 6000) + "</zookeeper><remote_servers><redoubt>";
      for (const std::string& database : databases()) {
        text += "<shard>" + tag("internal_replication", "true");
        for (const Process& replica : servers_) {
          text += "<replica>" + tag("default_database", database) + tag("host", "127.0.0.1") +
                  tag("port", replica.tcp) + tag("user", "redoubt") + tag("password", password_) + "</replica>";
        }
        text += "</shard>";
      }
      text += "</redoubt></remote_servers>";
    }
    return text + "</yandex>";
  }

  const std::string password_;
  std::string program_;
  base::TempDir dir_;
  int zookeeper_port_ = 0;
  pid_t zookeeper_ = -1;
  std::vector<Process> servers_;
};

}  // namespace redoubt::store
